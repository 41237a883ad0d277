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

  it('takes the hub of other programs where it has none of its own', () => {
    const theirs = { HF_ENDPOINT: 'https://mirror.test', HF_TOKEN: 'theirs', HF_HUB_OFFLINE: 'ON' };
    expect(readEnv(theirs)).toMatchObject({
      hubUrl: 'https://mirror.test',
      hubToken: 'theirs',
      offline: true,
    });
    const ours = {
      EMBEDFARM_HUB_URL: 'http://127.0.0.1:8000',
      EMBEDFARM_HUB_TOKEN: 'ours',
      EMBEDFARM_OFFLINE: '0',
    };
    expect(readEnv({ ...theirs, ...ours })).toMatchObject({
      hubUrl: 'http://127.0.0.1:8000',
      hubToken: 'ours',
      offline: false,
    });
  });

  it('reads hosts with commas between, and secrets with spaces', () => {
    const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);
    const env = readEnv({
      EMBEDFARM_WEBHOOK_HOSTS: 'a.example.com, *.example.org,http://127.0.0.1:8080',
      EMBEDFARM_WEBHOOK_SECRET: secrets.join(' '),
    });
    expect(env).toMatchObject({
      webhookHosts: ['a.example.com', '*.example.org', 'http://127.0.0.1:8080'],
      webhookSecrets: secrets,
    });
    expect(() => readEnv({ EMBEDFARM_WEBHOOK_SECRET: 'hush' })).not.toThrow('hush');
  });

  it.each([
    ['EMBEDFARM_WEBHOOK_HOSTS', 'a.example.com,,b.example.com'],
    ['EMBEDFARM_WEBHOOK_HOSTS', 'a.example.com/hooks'],
    ['EMBEDFARM_WEBHOOK_SECRET', 'hush'],
    ['EMBEDFARM_HUB_URL', 'mirror.test'],
    ['HF_ENDPOINT', 'ftp://mirror.test'],
    ['EMBEDFARM_OFFLINE', 'perhaps'],
    ['EMBEDFARM_POOLING', 'median'],
    ['EMBEDFARM_POOLING_LAYERS', '-1;-2'],
    ['EMBEDFARM_NORMALIZE', 'maybe'],
    ['EMBEDFARM_MAX_SEQ_LEN', '2'],
    ['EMBEDFARM_SLOTS', '0'],
    ['EMBEDFARM_TOKEN_BUDGET', 'many'],
    ['EMBEDFARM_WORKERS', '1.5'],
    ['EMBEDFARM_PORT', '70000'],
    ['EMBEDFARM_DASHBOARD_KEY', 'short'],
    ['EMBEDFARM_DASHBOARD_KEY', 'has a space in it'],
    ['EMBEDFARM_METRICS_PORT', '-1'],
    ['EMBEDFARM_NAME', 'a:b'],
    ['EMBEDFARM_LOG_LEVEL', 'loud'],
    ['REDIS_URL', 'localhost'],
    ['REDIS_URL', 'http://localhost'],
    ['REDIS_URL', 'redis+sentinel://localhost'],
  ])('names %s when it is %s', (name, value) => {
    expect(() => readEnv({ [name]: value })).toThrow(name);
  });
});
