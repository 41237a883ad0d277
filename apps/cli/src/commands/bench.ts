import type { benchMain as BenchMain } from '@embedfarm/bench/bench-main';
import { FarmError } from '@embedfarm/contract';
import { Command } from 'commander';

export function benchCommand(): Command {
  return (
    new Command('bench')
      .description(
        'Measure the farm: by-clients, by-length, by-batch, by-workers, by-layer, against, board-cost, all.',
      )
      .usage('<name> [options]')
      .argument('[args...]', 'the name of a benchmark and its options; --help shows them')
      // The bench reads its own flags.
      .allowUnknownOption()
      .helpOption(false)
      .action(async (args: string[]) => {
        const { benchMain } = await loadBench();
        process.exitCode = await benchMain(args.length === 0 ? ['--help'] : args);
      })
  );
}

/** Only for this command: what it brings along would slow down the start of all others. */
async function loadBench(): Promise<{ readonly benchMain: typeof BenchMain }> {
  try {
    return await import('@embedfarm/bench/bench-main');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new FarmError(
      'invalid_argument',
      'this installation has no benchmarks: run it from the repository',
      {
        cause,
      },
    );
  }
}
