import { redisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { FairShare, type ChunkShare } from './fair-share.ts';
import { SERVE_TAG_LUA } from './serve-tag.ts';

const serveScript = new RedisScript(`${SERVE_TAG_LUA} return serveTag(KEYS[1], KEYS[2])`);

/** A bulk lane without BullMQ's jobs: what it keeps of their order, and the tags. One chunk runs at a time. */
export class TaggedLane {
  readonly share: FairShare;
  readonly #redis: FarmRedis;
  readonly #keys = redisKeys();
  readonly #model: string;
  #counter = 0;

  constructor(redis: FarmRedis, model: string, limits: ConstructorParameters<typeof FairShare>[3]) {
    this.#redis = redis;
    this.#model = model;
    this.share = new FairShare(redis, this.#keys, model, limits);
  }

  /** @returns their priorities. */
  async add(ids: readonly string[], chunks: readonly ChunkShare[]): Promise<number[]> {
    const priorities = await this.share.takePriorities(chunks);
    const writing = this.#redis.pipeline();
    for (const [index, id] of ids.entries()) {
      const priority = priorities[index] ?? 0;
      this.#counter += 1;
      writing.zadd(this.#part('prioritized'), priority * 2 ** 32 + this.#counter, id);
      writing.hset(this.#part(id), 'priority', priority);
    }
    await writing.exec();
    return priorities;
  }

  /** @returns the id of the chunk that is next, run and settled; undefined where none waits. */
  async serve(): Promise<string | undefined> {
    const [id] = await this.#redis.zpopmin(this.#part('prioritized'));
    if (id === undefined) return undefined;
    await serveScript.run(this.#redis, [this.#keys.fairShare(this.#model), this.#part(id)], []);
    await this.#redis.del(this.#part(id));
    return id;
  }

  async isRebasing(): Promise<boolean> {
    return (await this.#redis.hexists(this.#keys.fairShare(this.#model), 'rebaseBy')) === 1;
  }

  #part(name: string): string {
    return this.#keys.jobPrefix(this.#model, 'bulk') + name;
  }
}
