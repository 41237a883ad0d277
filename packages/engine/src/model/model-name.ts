export { modelName } from '@embedfarm/checkpoint/model-name';
