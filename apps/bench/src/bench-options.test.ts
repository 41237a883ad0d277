import { describe, expect, it } from 'vitest';
import { benchCommand, parseBenchArgs, type BenchOptions } from './bench-options.ts';
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
