import { encodeOptionsSchema, VECTOR_DTYPES, type EncodeOptions } from '@embedfarm/contract';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { TextForm } from './encode-texts.ts';

const { truncate } = encodeOptionsSchema.shape;

/** Gives a command the flags that go into the call: what the vectors are like. */
export function addEncodeFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--output-dtype <dtype>', 'what numbers come as (default: float32)').choices(VECTOR_DTYPES),
    )
    .option('--dimensions <n>', 'only the first so many numbers of every vector', parseCount)
    .option('--normalize', 'vectors of length 1 (default: as the model says)')
    .option('--no-normalize', 'vectors as they come')
    .addOption(
      new Option('--truncate <side>', 'what a text loses that is too long (default: end)').choices(
        truncate.unwrap().options,
      ),
    )
    .option(
      '--prompt-name <name>',
      "a prompt of the model's that goes before every text (default: the model's default)",
    )
    .option(
      '--prompt <text>',
      'a text that goes before every text, in place of one of the model; "" for none',
    )
    .option('--pairs', 'texts are pairs, with " ||| " between their parts')
    .option('--tokens', 'texts are tokens of the vocabulary, with spaces between')
    .option('--show-tokens', 'the tokens of every text as the device saw them');
}

/** How the flags say that texts are written. */
export function readTextForm(command: Command): TextForm {
  const { pairs = false, tokens = false } = command.opts<EncodeFlags>();
  return { pairs, tokens };
}

/** What of the call's options the flags say; what is not given is left out. */
export function readEncodeFlags(command: Command): Partial<EncodeOptions> {
  const { outputDtype, dimensions, normalize, truncate, tokens, showTokens, prompt, promptName } =
    command.opts<EncodeFlags>();
  return {
    ...(outputDtype === undefined ? {} : { dtype: outputDtype }),
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(normalize === undefined ? {} : { normalize }),
    ...(truncate === undefined ? {} : { truncate }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(promptName === undefined ? {} : { promptName }),
    ...(showTokens === undefined ? {} : { returnTokens: showTokens }),
  };
}

/** As commander has read and checked them. */
interface EncodeFlags extends Partial<
  Pick<EncodeOptions, 'dimensions' | 'normalize' | 'truncate' | 'tokens' | 'prompt' | 'promptName'>
> {
  readonly pairs?: boolean;
  readonly showTokens?: boolean;
  readonly outputDtype?: EncodeOptions['dtype'];
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It must be a whole number, 1 or more.');
}
