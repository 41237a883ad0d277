import { describe, expect, it } from 'vitest';
import { whatNext } from './what-next.ts';

const registration = {
  model: 'embedded',
  fingerprint: 'f',
  dimensions: 128,
  maxSequenceLength: 512,
  pooling: 'mean',
  normalize: true,
  dtype: 'float32' as const,
  meaningful: false,
};

describe('whatNext', () => {
  it('names the URL where it is not the default one, and the random weights', () => {
    const redis = { url: 'redis://127.0.0.1:7001', startedBy: 'started' } as const;
    const text = whatNext({ redis, registration, workers: 1, dashboardUrl: 'http://127.0.0.1:3000' });
    expect(text).toContain('npx embedfarm encode --redis redis://127.0.0.1:7001 "First do it"');
    expect(text).toContain('http://127.0.0.1:3000');
    expect(text).toContain('carry no meaning');
  });

  it('hides a password', () => {
    const redis = { url: 'redis://:secret@farm.example:6379', startedBy: 'given' } as const;
    const text = whatNext({ redis, registration, workers: 1, dashboardUrl: undefined });
    expect(text).not.toContain('secret');
  });

  it('writes the address of a Cluster as a shell takes it', () => {
    const redis = { url: 'rediss+cluster://:secret@a:1,b:2?ca=/ca.pem', startedBy: 'given' } as const;
    const text = whatNext({ redis, registration, workers: 1, dashboardUrl: undefined });
    expect(text).toContain("--redis 'rediss+cluster://:***@a:1,b:2?ca=/ca.pem' ");
  });
});
