import { describe, expect, it } from 'vitest';
import { benchCommand, parseBenchArgs, type BenchOptions } from './bench-options.ts';
import {
  engineBenchCommand,
  parseEngineBenchArgs,
  type EngineBenchOptions,
} from './engine/engine-bench-options.ts';
import { loadSizes } from './load-sizes.ts';

const parse = (...args: string[]): BenchOptions => parseBenchArgs(args) as BenchOptions;

describe('parseBenchArgs', () => {
  it('measures both workloads without a flag', () => {
    expect(parse().workloads).toEqual(['mix', 'uniform-40']);
    expect(loadSizes('minilm', parse())).toMatchObject({ bulkTexts: 2_048, rounds: 5, clientProcesses: 4 });
  });

  it('lets a flag win over what the model and quick say', () => {
    expect(loadSizes('base', parse('--bulk-texts', '2048', '--rounds', '3'))).toMatchObject({
      bulkTexts: 2_048,
      rounds: 3,
    });
    expect(loadSizes('base', parse('--quick', '--rounds', '1'))).toMatchObject({ bulkTexts: 300, rounds: 1 });
  });

  it.each([
    ['--shapes', 'huge'],
    ['--rounds', '0'],
    ['--rounds', 'many'],
    ['--workloads', ''],
    ['--fast', 'yes'],
  ])('refuses %s %s by name', (flag, value) => {
    expect(() => parse(flag, value)).toThrow(flag.slice(2));
  });

  it('asks for help alone', () => {
    expect(parseBenchArgs(['--help'])).toBeUndefined();
  });
});

describe('benchCommand', () => {
  it('repeats the run, and names no folder', () => {
    expect(benchCommand(parse('--out', 'somewhere', '--cache-dir', 'elsewhere'))).toBe('npm run bench');
    expect(benchCommand(parse('--shapes', 'minilm', '--quick', '--rounds=3'))).toBe(
      'npm run bench -- --shapes minilm --rounds 3 --quick',
    );
  });
});

describe('parseEngineBenchArgs', () => {
  const engine = (...args: string[]): EngineBenchOptions => parseEngineBenchArgs(args) as EngineBenchOptions;

  it('measures everything but the soak without a flag', () => {
    expect(engine()).toMatchObject({
      dtypes: ['fp32', 'int8'],
      sections: ['speed', 'lengths', 'batches', 'farm', 'threads', 'peak', 'memory'],
      'soak-minutes': 0,
      alone: false,
    });
  });

  it.each([
    ['--dtypes', 'fp16'],
    ['--sections', 'speed,colour'],
    ['--seconds', '0'],
    ['--soak-minutes', '-1'],
    ['--bulk-texts', '3'],
  ])('refuses %s %s by name', (flag, value) => {
    expect(() => engine(flag, value)).toThrow(flag.slice(2));
  });

  it('is repeated by its command', () => {
    expect(engineBenchCommand(engine('--cache-dir', 'elsewhere'))).toBe('npm run bench -- engine');
    expect(engineBenchCommand(engine('--alone', '--sections', 'speed,peak', '--seconds', '0.5'))).toBe(
      'npm run bench -- engine --sections speed,peak --seconds 0.5 --alone',
    );
  });
});
