import { dirname, join } from 'node:path';
import { FarmError } from '@embedfarm/contract';
import { z } from 'zod';
import { readJsonFile } from './read-json-file.ts';
import { readSafetensors } from './safetensors.ts';
import type { StoredTensor, StoredTensors } from './stored-tensor.ts';

/**
 * The tensors of a `model.safetensors.index.json`, out of the files beside it.
 *
 * @throws FarmError `invalid_argument` naming the file or tensor that is missing, or breaks the format.
 */
export function readShardedSafetensors(index: string): StoredTensors {
  const { weight_map: fileByName } = readJsonFile(index, indexSchema);
  const files = new Map<string, StoredTensors>();
  const tensors = new Map<string, StoredTensor>();
  for (const [name, file] of fileByName) {
    const shard = files.get(file) ?? readSafetensors(join(dirname(index), file));
    files.set(file, shard);
    const tensor = shard.get(name);
    if (!tensor) throw new FarmError('invalid_argument', `${index}: ${file} has no tensor ${name}`);
    tensors.set(name, tensor);
  }
  return tensors;
}

// A name alone: nothing outside of the directory is read.
const shardName = z
  .string()
  .regex(/^[\w.-]+\.safetensors$/, 'must be the name of a .safetensors file beside it');

const indexSchema = z.object({
  weight_map: z
    .custom<object>((value) => typeof value === 'object' && value !== null, 'must be an object')
    .transform((map) => Object.entries(map))
    .pipe(z.array(z.tuple([z.string(), shardName]))),
});
