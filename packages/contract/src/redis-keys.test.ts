import { expect, it } from 'vitest';
import { queueName, redisKeys, shardPrefix } from './redis-keys.ts';

it('keeps every key of a shard in one Cluster slot, by the prefix', () => {
  const keys = redisKeys();
  const names = Object.values(keys).map((key: string | ((name: string) => string)) =>
    typeof key === 'string' ? key : key('1' as never),
  );
  for (const name of names) expect(name.startsWith('{embedfarm}')).toBe(true);
  // No two names are the same key.
  expect(new Set(names).size).toBe(names.length);
  expect(shardPrefix(1)).toBe('{embedfarm1}');
});

it('names a queue by model and lane', () => {
  expect(queueName('all-MiniLM-L6-v2', 'bulk')).toBe('all-MiniLM-L6-v2-bulk');
});
