import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addFlags, readSettings, type FlagName } from './settings.ts';

const FLAGS: readonly FlagName[] = [
  'pooling',
  'poolingLayers',
  'normalize',
  'noNormalize',
  'cased',
  'maxSeqLen',
  'maskClsSep',
  'bertAsServiceDefaults',
  'hubUrl',
  'offline',
  'calibrate',
  'noCalibrate',
  'lowLatency',
  'noLowLatency',
  'webhookHosts',
];

afterEach(() => vi.unstubAllEnvs());

function read(...args: string[]): ReturnType<typeof readSettings> {
  const command = addFlags(new Command('test'), FLAGS).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse(args, { from: 'user' });
  return readSettings(command, FLAGS);
}

describe('The flags of a model', () => {
  it('are read as switches, numbers and lists', () => {
    const args = ['--pooling', 'mean_max', '--pooling-layers', '-1,-2', '--cased', '--max-seq-len', '40'];
    expect(read(...args, '--mask-cls-sep', '--bert-as-service-defaults')).toMatchObject({
      pooling: 'mean_max',
      poolingLayers: [-1, -2],
      cased: true,
      maxSequenceLength: 40,
      maskClsSep: true,
      bertAsServiceDefaults: true,
      normalize: undefined,
    });
    expect(read('--pooling-layers', '-2')).toMatchObject({ poolingLayers: [-2] });
  });

  it.each([
    ['--normalize', true],
    ['--no-normalize', false],
  ])('say with %s what the environment said otherwise', (flag, normalize) => {
    vi.stubEnv('EMBEDFARM_NORMALIZE', String(!normalize));
    expect(read()).toMatchObject({ normalize: !normalize });
    expect(read(flag)).toMatchObject({ normalize });
  });

  it('say where models come from, over what other programs are told', () => {
    vi.stubEnv('HF_ENDPOINT', 'https://mirror.test');
    expect(read()).toMatchObject({ hubUrl: 'https://mirror.test', offline: undefined });
    const args = ['--hub-url', 'http://127.0.0.1:8080/hf', '--offline'];
    expect(read(...args)).toMatchObject({ hubUrl: 'http://127.0.0.1:8080/hf', offline: true });
  });

  it('switch off what is on, whatever the environment says', () => {
    expect(read()).toMatchObject({ calibrate: undefined, lowLatency: undefined });
    vi.stubEnv('EMBEDFARM_CALIBRATE', 'true');
    vi.stubEnv('EMBEDFARM_LOW_LATENCY', 'true');
    expect(read()).toMatchObject({ calibrate: true, lowLatency: true });
    const args = ['--no-calibrate', '--no-low-latency'];
    expect(read(...args)).toMatchObject({ calibrate: false, lowLatency: false });
  });

  it('say where webhooks may go, and never with what they are signed', () => {
    expect(read('--webhook-hosts', '*.example.org')).toMatchObject({ webhookHosts: ['*.example.org'] });
    expect(() => read('--webhook-secret', 'hush')).toThrow('unknown option');
  });

  it.each([
    [['--webhook-hosts', 'a.example.com/hooks'], 'at --webhook-hosts'],
    [['--hub-url', 'mirror.test'], 'at --hub-url'],
    [['--pooling', 'median'], 'at --pooling'],
    [['--pooling-layers', '-1;-2'], 'at --pooling-layers'],
    [['--max-seq-len', '2'], 'at --max-seq-len'],
  ])('are named when they are wrong: %j', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});
