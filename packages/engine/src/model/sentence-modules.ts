import { join } from 'node:path';
import type { Pooling } from '@embedfarm/checkpoint/pooling';
import { includesPrompt, poolingOfModes } from '@embedfarm/checkpoint/sentence-transformer-source';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';

import { missingFile, readModelJson } from './model-files.ts';

export interface SentenceModules {
  readonly pooling: Pooling;
  readonly normalize: boolean;
  /** Whether the tokens of a prompt are pooled. */
  readonly includePrompt: boolean;
}

/**
 * How sentence-transformers makes a vector of hidden states, from modules.json and its Pooling module's
 * config.json. A model without modules.json is pooled by `mean` and normalized.
 *
 * @throws FarmError `invalid_argument` naming a module or pooling that this version does not know: to
 *   leave it out would give other vectors.
 *
 * Source: https://sbert.net/docs/package_reference/sentence_transformer/models.html
 */
export async function readSentenceModules(directory: string, wished?: Pooling): Promise<SentenceModules> {
  const modules = await readModelJson(directory, 'modules.json', modulesSchema);
  if (!modules) return { pooling: wished ?? 'mean', normalize: true, includePrompt: true };
  let normalize = false;
  let includePrompt = true;
  let pooling: Pooling = 'mean';
  for (const { type, path } of modules) {
    const kind = type.slice(type.lastIndexOf('.') + 1);
    switch (kind) {
      case 'Transformer':
        break;
      case 'Pooling':
        ({ pooling, includePrompt } = await readPooling(directory, join(path, 'config.json'), wished));
        break;
      case 'Normalize':
        normalize = true;
        break;
      default:
        throw new FarmError(
          'invalid_argument',
          `${join(directory, 'modules.json')}: module ${type} is not known, only Transformer, Pooling and Normalize are`,
        );
    }
  }
  return { pooling: wished ?? pooling, normalize, includePrompt };
}

async function readPooling(
  directory: string,
  name: string,
  wished: Pooling | undefined,
): Promise<Omit<SentenceModules, 'normalize'>> {
  const config = await readModelJson(directory, name, poolingSchema);
  if (!config && wished === undefined) throw missingFile(directory, name);
  const pooling = wished ?? poolingOfModes(join(directory, name), config ?? {});
  return { pooling, includePrompt: includesPrompt(config ?? {}) };
}

const modulesSchema = z.array(z.object({ type: z.string(), path: z.string() }));
const poolingSchema = z.record(z.string(), z.unknown());
