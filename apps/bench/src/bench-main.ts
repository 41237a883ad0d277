import { setMaxListeners } from 'node:events';
import { FarmError } from '@embedfarm/contract';
import { BENCH_USAGE, parseBenchArgs } from './bench-options.ts';
import { ENGINE_BENCH_USAGE, parseEngineBenchArgs } from './engine/engine-bench-options.ts';
import { runEngineBench } from './engine/run-engine-bench.ts';
import { writeEngineReport } from './engine/write-engine-report.ts';
import { FAILURE_USAGE, parseFailureArgs } from './failure/failure-options.ts';
import { runFailure } from './failure/run-failure.ts';
import { parseQualityArgs, QUALITY_USAGE } from './quality/quality-options.ts';
import { runQuality } from './quality/run-quality.ts';
import { parseQueueArgs, QUEUE_USAGE } from './queue/queue-options.ts';
import { runQueueBench } from './queue/run-queue-bench.ts';
import { writeQueueReport } from './queue/write-queue-report.ts';
import { runSweeps } from './sweep/run-sweeps.ts';
import { SWEEPS, type SweepName } from './sweep/sweep-names.ts';
import { parseSweepArgs, SWEEP_USAGE } from './sweep/sweep-options.ts';
import { runBench, type RunControl } from './run-bench.ts';
import { writeReport } from './write-report.ts';

/** What `npm run bench -- NAME` does. */
interface Command {
  readonly usage: string;
  /**
   * @returns what runs it, and gives what goes to stdout; undefined where only help is asked for.
   * @throws FarmError `invalid_argument` naming the flag.
   */
  parse(args: readonly string[]): ((control: RunControl) => Promise<string>) | undefined;
}

const COMMANDS = {
  farm: {
    usage: BENCH_USAGE,
    parse(args) {
      const options = parseBenchArgs(args);
      return options && (async (control) => writeReport(options.out, await runBench(options, control)));
    },
  },
  engine: {
    usage: ENGINE_BENCH_USAGE,
    parse(args) {
      const options = parseEngineBenchArgs(args);
      return (
        options && (async (control) => writeEngineReport(options.out, await runEngineBench(options, control)))
      );
    },
  },
  queue: {
    usage: QUEUE_USAGE,
    parse(args) {
      const options = parseQueueArgs(args);
      return (
        options && (async (control) => writeQueueReport(options.out, await runQueueBench(options, control)))
      );
    },
  },
  quality: {
    usage: QUALITY_USAGE,
    parse(args) {
      const options = parseQualityArgs(args);
      return options && ((control) => runQuality(options, control));
    },
  },
  failure: {
    usage: FAILURE_USAGE,
    parse(args) {
      const options = parseFailureArgs(args);
      return options && ((control) => runFailure(options, control));
    },
  },
  ...Object.fromEntries(SWEEPS.map((name) => [name, sweepCommandOf([name])])),
  all: sweepCommandOf(SWEEPS),
} satisfies Record<string, Command>;

function sweepCommandOf(names: readonly SweepName[]): Command {
  return {
    usage: SWEEP_USAGE,
    parse(args) {
      const options = parseSweepArgs(args);
      return options && ((control) => runSweeps(names, options, control));
    },
  };
}

const FAILED = 1;
const USAGE = 2;

/**
 * `npm run bench` and `embedfarm bench`: what was measured to stdout, all else to stderr.
 *
 * @returns the exit code.
 */
export async function benchMain([name = '', ...args]: readonly string[]): Promise<number> {
  const commands: Readonly<Record<string, Command>> = COMMANDS;
  // Flags alone are those of the farm.
  const isNamed = Object.hasOwn(commands, name);
  const command = (isNamed ? commands[name] : undefined) ?? COMMANDS.farm;
  const run = readRun(command, isNamed || name === '' ? args : [name, ...args]);
  if (run === 'wrong') return USAGE;
  if (run === undefined) {
    const usages = isNamed ? [command.usage] : Object.values(commands).map(({ usage }) => usage);
    process.stdout.write([...new Set(usages)].join('\n'));
    return 0;
  }
  // A second signal finds no listener, and ends the process.
  const stop = new AbortController();
  // Every process that runs listens.
  setMaxListeners(0, stop.signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    process.stdout.write(await run({ signal: stop.signal, say }));
    return 0;
  } catch (thrown) {
    say(stop.signal.aborted ? 'bench: stopped' : `bench: ${FarmError.from(thrown).message}`);
    return FAILED;
  }
}

/** @returns `wrong` where the flags are, which is said then. */
function readRun(command: Command, args: readonly string[]): ReturnType<Command['parse']> | 'wrong' {
  try {
    return command.parse(args);
  } catch (thrown) {
    say(`bench: ${FarmError.from(thrown).detail}\n\n${command.usage}`);
    return 'wrong';
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
