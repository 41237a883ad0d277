import { expect, it } from 'vitest';
import { outFolder, parseSweepArgs, sweepCommand, type SweepOptions } from './sweep-options.ts';
import { sweepSizes } from './sweep-sizes.ts';

const parse = (...args: string[]): SweepOptions => parseSweepArgs(args) as SweepOptions;

it('has defaults for all but what depends on the benchmark', () => {
  expect(parse()).toEqual({
    workload: 'uniform-40',
    workers: 1,
    devices: 'cpu',
    seed: 1,
    'no-store': false,
    resume: false,
    quick: false,
    'cache-dir': '.embedfarm/bench',
  });
  expect(parse('--shape', 'minilm,base').shape).toEqual(['minilm', 'base']);
});

it.each([
  [['--shape', 'huge'], /shape/],
  [['--workload', 'poems'], /workload/],
  [['--workers', '0'], /workers/],
  [['--seconds', 'soon'], /seconds/],
  [['--redis', 'localhost:6379'], /redis/],
  [['--store-in', 'http://localhost'], /store-in/],
  [['--colour'], /colour/],
])('refuses %j, naming the flag', (args, named) => {
  expect(() => parseSweepArgs(args)).toThrow(named);
});

it('gives no options where help is asked for', () => {
  expect(parseSweepArgs(['--help'])).toBeUndefined();
});

it('repeats a run without addresses and folders', () => {
  const flags =
    '--redis redis://:secret@farm:6379 --store-in redis://other --model /models/mine ' +
    '--out /tmp/x --baseline /tmp/old --rounds 5 --quick --resume';
  const options = parse(...flags.split(' '));
  expect(sweepCommand('by-batch', options)).toBe('npm run bench -- by-batch --rounds 5 --quick');
});

it('keeps what a quick run writes away from results', () => {
  expect(outFolder(parse())).toBe('docs/benchmarks');
  expect(outFolder(parse('--quick'))).toBe('.embedfarm/bench/quick');
  expect(outFolder(parse('--quick', '--out', 'x'))).toBe('x');
});

it('takes sizes by the shape, and what is said before that', () => {
  expect(sweepSizes('base', parse())).toMatchObject({ seconds: 6, rounds: 3, seedCallTexts: 8 });
  expect(sweepSizes('base', parse('--seconds', '2', '--rounds', '7'))).toMatchObject({
    seconds: 2,
    rounds: 7,
  });
  expect(sweepSizes('other', parse())).toEqual(sweepSizes('base', parse()));
  expect(sweepSizes('minilm', parse()).clients).toEqual([1, 2, 4, 8, 16, 32, 64, 128]);
  expect(sweepSizes('base', parse('--quick')).clients).toEqual([1, 2, 3]);
});
