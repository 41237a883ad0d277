import { once } from 'node:events';
import {
  TextsFailedError,
  type AnyEmbeddings,
  type EmbeddingFarm,
  type EncodeCallOptions,
  type EncodeText,
} from '@embedfarm/sdk';
import { Command } from 'commander';
import { addEncodeFlags, readEncodeFlags, readTextForm } from '../encode-flags.ts';
import { encodeTexts } from '../encode-texts.ts';
import { embeddingsJson } from '../embeddings-json.ts';
import { embeddingsTable } from '../embeddings-table.ts';
import { meaninglessNote } from '../meaningless-note.ts';
import { producerModel } from '../producer-model.ts';
import { ProgressBar } from '../progress-bar.ts';
import { readLines } from '../read-lines.ts';
import { addFlags, readSettings, type FlagName } from '../settings.ts';
import { withFarm } from '../with-farm.ts';

const FLAGS: readonly FlagName[] = ['modelName', 'redis'];

export function encodeCommand(): Command {
  const command = new Command('encode')
    .description('Print the vectors of texts.')
    .argument('[text...]', 'texts; from stdin, one a line, when none are given')
    .option('--json', 'print one JSON object with all values')
    .action(async (given: string[], { json }: { json?: true }) => {
      const settings = readSettings(command, FLAGS);
      if (given.length === 0 && process.stdin.isTTY) {
        command.error('error: give texts, or pipe them in, one a line');
      }
      const lines = given.length > 0 ? given : await readLines(process.stdin, 'stdin');
      const texts = encodeTexts(lines, readTextForm(command));
      await withFarm(settings.redis, async (farm, signal) => {
        const options = { ...producerModel(settings), ...readEncodeFlags(command), signal };
        const { embeddings, failed } = await encodeByFarm(farm, texts, options);
        if (json) await printPieces(embeddingsJson(embeddings));
        else await printTable(farm, lines, embeddings);
        if (failed !== undefined) throw failed;
      });
    });
  return addFlags(addEncodeFlags(command), FLAGS);
}

/** Some failed texts are told after the vectors of the others. */
async function encodeByFarm(
  farm: EmbeddingFarm,
  texts: readonly EncodeText[],
  options: EncodeCallOptions,
): Promise<{ embeddings: AnyEmbeddings; failed?: TextsFailedError }> {
  const bar = new ProgressBar();
  try {
    return {
      embeddings: await farm.encode(texts, { ...options, onProgress: (progress) => bar.show(progress) }),
    };
  } catch (thrown) {
    if (thrown instanceof TextsFailedError) return { embeddings: thrown.embeddings, failed: thrown };
    throw thrown;
  } finally {
    bar.clear();
  }
}

async function printTable(
  farm: EmbeddingFarm,
  texts: readonly string[],
  embeddings: AnyEmbeddings,
): Promise<void> {
  const lines = [embeddingsTable(texts, embeddings)];
  const note = meaninglessNote((await farm.status()).models, embeddings.model);
  if (note !== undefined) lines.push(note);
  await printPieces([`${lines.join('\n')}\n`]);
}

/** Waits for a slow reader instead of filling memory. */
async function printPieces(pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
  }
}
