export { convertToInt8, type ConvertedInt8 } from '@embedfarm/engine/int8/convert-int8';
