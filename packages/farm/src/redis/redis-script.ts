import { createHash } from 'node:crypto';
import type { FarmRedis } from './farm-redis.ts';

export type ScriptArgument = string | number | Buffer;

/** A Lua script, sent once a server and called by its hash after that. All keys of one call share a hash tag. */
export class RedisScript {
  readonly #lua: string;
  readonly #hash: string;

  constructor(lua: string) {
    this.#lua = lua;
    this.#hash = createHash('sha1').update(lua).digest('hex');
  }

  async run(redis: FarmRedis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#hash, keys.length, ...keys, ...args);
    } catch (thrown) {
      if (!isUnknownScript(thrown)) throw thrown;
      return await redis.eval(this.#lua, keys.length, ...keys, ...args);
    }
  }

  /** As `run`, with strings as the bytes they are. */
  async runForBytes(
    redis: FarmRedis,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<unknown> {
    try {
      return await redis.callBuffer('evalsha', this.#hash, keys.length, ...keys, ...args);
    } catch (thrown) {
      if (!isUnknownScript(thrown)) throw thrown;
      return await redis.callBuffer('eval', this.#lua, keys.length, ...keys, ...args);
    }
  }
}

function isUnknownScript(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message.startsWith('NOSCRIPT');
}
