import { describe, expect, it } from 'vitest';
import { readEnv } from './env.ts';

describe('readEnv', () => {
  it('says nothing where nothing is set, and logs at info', () => {
    const { logLevel, ...rest } = readEnv({});
    expect(logLevel).toBe('info');
    expect(Object.values(rest)).toEqual(Object.values(rest).map(() => undefined));
  });

  it('reads numbers, and takes an empty variable for an absent one', () => {
    const env = readEnv({ REDIS_URL: 'redis://10.0.0.1:7000', EMBEDFARM_SLOTS: '3', EMBEDFARM_NAME: '' });
    expect(env).toMatchObject({ redis: 'redis://10.0.0.1:7000', slots: 3, name: undefined });
  });

  it('reads layers as a list, and switches in words', () => {
    const env = readEnv({
      EMBEDFARM_POOLING_LAYERS: '-1,-2',
      EMBEDFARM_NORMALIZE: 'false',
      EMBEDFARM_CASED: '1',
    });
    expect(env).toMatchObject({ poolingLayers: [-1, -2], normalize: false, cased: true });
  });

  it.each([
    ['EMBEDFARM_POOLING', 'median'],
    ['EMBEDFARM_POOLING_LAYERS', '-1;-2'],
    ['EMBEDFARM_NORMALIZE', 'maybe'],
    ['EMBEDFARM_MAX_SEQ_LEN', '2'],
    ['EMBEDFARM_SLOTS', '0'],
    ['EMBEDFARM_TOKEN_BUDGET', 'many'],
    ['EMBEDFARM_WORKERS', '1.5'],
    ['EMBEDFARM_PORT', '70000'],
    ['EMBEDFARM_NAME', 'a:b'],
    ['EMBEDFARM_LOG_LEVEL', 'loud'],
    ['REDIS_URL', 'localhost'],
    ['REDIS_URL', 'http://localhost'],
  ])('names %s when it is %s', (name, value) => {
    expect(() => readEnv({ [name]: value })).toThrow(name);
  });
});
