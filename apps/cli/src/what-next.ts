import { hidePassword, type ModelRegistration } from '@embedfarm/contract';
import type { LocalRedis } from '@embedfarm/service/local-redis';
import { meaninglessNote } from './meaningless-note.ts';
import { DEFAULT_REDIS_URL } from './with-farm.ts';

const ORIGINS: Readonly<Record<LocalRedis['startedBy'], string>> = {
  given: 'as you said',
  running: 'was running',
  started: 'started here',
  docker: 'started here in Docker',
};

export interface UpFarm {
  readonly redis: Pick<LocalRedis, 'url' | 'startedBy'>;
  readonly registration: ModelRegistration;
  readonly workers: number;
  readonly dashboardUrl: string | undefined;
}

/** What a person reads once the farm is up: where it is, and how to use it from another terminal. */
export function whatNext({ redis, registration, workers, dashboardUrl }: UpFarm): string {
  const { model, dimensions } = registration;
  const url = hidePassword(redis.url);
  const isDefault = redis.url === DEFAULT_REDIS_URL;
  const note = meaninglessNote([registration], model);
  return [
    '',
    'The farm is up.',
    `  Redis      ${url} (${ORIGINS[redis.startedBy]})`,
    `  Model      ${model}, ${dimensions} dimensions`,
    `  Workers    ${workers}`,
    ...(dashboardUrl === undefined ? [] : [`  Dashboard  ${dashboardUrl}`]),
    ...(note === undefined ? [] : [note]),
    '',
    'In another terminal:',
    `  npx embedfarm encode${isDefault ? '' : ` --redis ${asArgument(url)}`} "First do it" "then do it right"`,
    '',
    'In your code:',
    "  import { EmbeddingFarm } from '@embedfarm/sdk';",
    `  const farm = await EmbeddingFarm.connect({ redis: '${url}' });`,
    "  const vectors = await farm.encode(['First do it', 'then do it right']);",
    '  vectors.at(0); // Float32Array',
    '',
    'Ctrl-C ends it.',
  ].join('\n');
}

/** As a shell takes it. */
function asArgument(text: string): string {
  return /^[\w:/.,@+-]+$/.test(text) ? text : `'${text}'`;
}
