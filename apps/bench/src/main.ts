import { FarmError } from '@embedfarm/contract';
import { BENCH_USAGE, parseBenchArgs, type BenchOptions } from './bench-options.ts';
import { runBench } from './run-bench.ts';
import { writeReport } from './write-report.ts';

const FAILED = 1;
const USAGE = 2;

process.exitCode = await main(process.argv.slice(2));

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) return USAGE;
  if (options === 'help') {
    process.stdout.write(BENCH_USAGE);
    return 0;
  }
  // A second signal finds no listener, and ends the process.
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  try {
    const report = await runBench(options, { signal: stop.signal, say });
    process.stdout.write(await writeReport(options.out, report));
    return 0;
  } catch (thrown) {
    say(stop.signal.aborted ? 'bench: stopped' : `bench: ${FarmError.from(thrown).message}`);
    return FAILED;
  }
}

/** @returns undefined where they are wrong, which is said then. */
function readOptions(args: readonly string[]): BenchOptions | 'help' | undefined {
  try {
    return parseBenchArgs(args) ?? 'help';
  } catch (thrown) {
    say(`bench: ${FarmError.from(thrown).detail}\n\n${BENCH_USAGE}`);
    return undefined;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
