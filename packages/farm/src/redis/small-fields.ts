import type { FarmRedis } from './farm-redis.ts';
import { RedisScript } from './redis-script.ts';

/** What was read of a hash. */
export interface SmallFields {
  /** How many fields the hash has, those that are none of ours included. */
  readonly size: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** Longest name of a field and longest number in it; what is longer was put there by hand. */
const MAX_NAME_BYTES = 400;
const MAX_VALUE_BYTES = 20;

/**
 * Of each hash the numbers in it, whatever somebody has put beside them: a value of ten megabytes does not leave Redis.
 * A hash with more than the given number of fields gives only those that are named.
 *
 * KEYS hashes; ARGV most fields, longest name, longest value, then names.
 * Returns for each hash its size, and names and values in turn; 0 alone for what is no hash.
 */
const smallFieldsScript = new RedisScript(`
local function asked(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer
end
local most, longest, largest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local named = {}
for at = 4, #ARGV do named[#named + 1] = ARGV[at] end
local hashes = {}
for at, key in ipairs(KEYS) do
  local size = asked('HLEN', key) or 0
  local hash, names = { size }, {}
  if size > 0 then
    for _, name in ipairs(size > most and named or redis.call('HKEYS', key)) do
      if #name <= longest then
        local length = redis.call('HSTRLEN', key, name)
        if length > 0 and length <= largest then names[#names + 1] = name end
      end
    end
  end
  for from = 1, #names, 1000 do
    local to = math.min(#names, from + 999)
    local values = redis.call('HMGET', key, unpack(names, from, to))
    for index = from, to do
      hash[#hash + 1] = names[index]
      hash[#hash + 1] = values[index - from + 1]
    end
  end
  hashes[at] = hash
end
return hashes`);

/** One round trip for all of them. */
export async function readSmallFields(
  redis: FarmRedis,
  hashes: readonly string[],
  { maxFields, named = [] }: { maxFields: number; named?: readonly string[] },
): Promise<SmallFields[]> {
  if (hashes.length === 0) return [];
  const args = [maxFields, MAX_NAME_BYTES, MAX_VALUE_BYTES, ...named];
  const answers = (await smallFieldsScript.run(redis, hashes, args)) as (number | string)[][];
  return answers.map(([size, ...told]) => {
    const pairs = told.flatMap((name, at) => (at % 2 === 0 ? [[String(name), String(told[at + 1])]] : []));
    return { size: Number(size), fields: Object.fromEntries(pairs) as Record<string, string> };
  });
}
