import { encodeVectorBlock, failedBlock, type VectorBlock } from '@embedfarm/contract';
import type { Redis } from 'ioredis';
import { hostileString } from './hostile-strings.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What is put into Redis by hand is gone by itself, so that what stays without a time to live is the farm's. */
const JUNK_TTL_S = 600;

/** Bytes that are not what stands there. */
export function junkBytes(random: SeededRandom): Buffer {
  switch (random.below(7)) {
    case 0:
      return random.bytes(random.below(200));
    case 1:
      return Buffer.from(JSON.stringify({ [hostileString(random)]: hostileString(random) }));
    case 2:
      return Buffer.from('['.repeat(random.chance(0.1) ? 300_000 : 50));
    case 3:
      return Buffer.from(random.pick(['', 'null', '0', '[]', '{}', '""', 'true', '{"version":1}', 'EFVB']));
    case 4:
      return Buffer.from(`{"version":1,"texts":${JSON.stringify(hostileString(random))}}`);
    case 5:
      return Buffer.from(junkBlock(random));
    default:
      return Buffer.from(hostileString(random));
  }
}

/** A number by hand: what a counter may not be. */
export function junkNumber(random: SeededRandom): string {
  return random.pick([
    '',
    'x',
    'NaN',
    'nan',
    'inf',
    '-1',
    '-9223372036854775808',
    '9223372036854775807',
    '1e15',
    '1e308',
    '0',
    '1',
    '1048576',
    '4294967295',
    '0.5',
    '0x10',
    ' 7 ',
    '999999999999',
  ]);
}

/** A block of another number of texts, of another shape, or of lies, as bytes. */
export function junkBlock(random: SeededRandom, texts: number = random.below(5)): Uint8Array {
  const block = random.chance(0.3) ? failedBlock(texts, 'internal', 'by hand') : blockOf(texts, random);
  const bytes = encodeVectorBlock(block);
  if (random.chance(0.5)) return bytes;
  if (random.chance(0.3)) return bytes.subarray(0, random.below(bytes.length + 1));
  // In the header the lies are sizes.
  const at = random.below(Math.min(bytes.length, random.chance(0.7) ? 48 : bytes.length));
  bytes[at] = random.below(256);
  return bytes;
}

function blockOf(texts: number, random: SeededRandom): VectorBlock {
  const dimensions = random.pick([0, 1, 3, 4, 8]);
  const rowsOfText = random.pick([0, 1, 2]);
  return {
    dtype: 'float32',
    dimensions,
    values: new Float32Array(texts * rowsOfText * dimensions).fill(Number.NaN),
    firstRows: Uint32Array.from({ length: texts + 1 }, (_, index) => index * rowsOfText),
    tokens: new Uint32Array(texts).fill(4_294_967_295),
    truncated: new Uint8Array(texts).fill(2),
    failures: [],
    ...(random.chance(0.2) ? { tokenLists: Array.from({ length: texts }, () => ['by', 'hand']) } : {}),
    timing: { queueMs: Number.NaN, tokenizeMs: Infinity, batchWaitMs: -1, deviceMs: 0 },
  };
}

/** Puts something of any type in a key's place, or takes it away. @returns what was done. */
export async function spoilKey(redis: Redis, key: string, random: SeededRandom): Promise<string> {
  const kind = random.pick(['deleted', 'bytes', 'list', 'hash', 'zset', 'set', 'stream', 'cut', 'bytes']);
  const put = redis.multi();
  if (kind !== 'cut') put.unlink(key);
  if (kind === 'bytes') put.set(key, junkBytes(random));
  if (kind === 'list') put.rpush(key, junkBytes(random), 'x');
  if (kind === 'hash') put.hset(key, hostileString(random), junkBytes(random), 'state', junkBytes(random));
  if (kind === 'zset') put.zadd(key, random.below(2 ** 40), hostileString(random));
  if (kind === 'set') put.sadd(key, hostileString(random));
  if (kind === 'stream') put.xadd(key, '*', hostileString(random), junkBytes(random));
  // Of what is a string; of another type Redis says no.
  if (kind === 'cut') put.setrange(key, random.below(40), junkBytes(random).subarray(0, 20));
  await put.expire(key, JUNK_TTL_S, 'NX').exec();
  return `${key} ${kind}`;
}

/** Sets or takes away fields of a hash. @returns what was done. */
export async function spoilFields(
  redis: Redis,
  key: string,
  fields: readonly string[],
  random: SeededRandom,
): Promise<string> {
  const said: string[] = [];
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    const field = random.pick(fields);
    const value = random.chance(0.5) ? junkNumber(random) : junkBytes(random);
    const isDeleted = random.chance(0.3);
    await (isDeleted ? redis.hdel(key, field) : redis.hset(key, field, value)).catch(() => undefined);
    said.push(isDeleted ? `-${field}` : `${field}=${value.toString('utf8').slice(0, 40)}`);
  }
  // Where it had gone meanwhile, it was made anew.
  await redis.expire(key, JUNK_TTL_S, 'NX');
  return `${key} ${said.join(' ')}`;
}
