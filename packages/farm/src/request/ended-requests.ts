import { parseJobId, type Lane, type RedisKeys } from '@embedfarm/contract';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { REQUEST_STATES, toRecord, type RequestState } from './request-record.ts';

/** Ends told with one look. */
const MAX_ENDS = 1_000;

/** How a submitted request ended. No text and no vector is in it. */
export interface RequestEnd {
  readonly requestId: string;
  /** Its caller's word, with whatever is in it. */
  readonly label: string | undefined;
  readonly model: string;
  readonly lane: Lane;
  readonly state: RequestState;
  readonly chunks: number;
  readonly texts: number;
  /** Texts with a vector. */
  readonly done: number;
  readonly failed: number;
  readonly tokens: number;
  /** From the submit to the first chunk that a worker took; undefined where none did. */
  readonly waitMs: number | undefined;
  /** From the submit to the end. */
  readonly totalMs: number;
}

export interface RequestEvents {
  /** Of all workers of a farm that ask, one is told of each end. */
  onRequestsEnd?: (ends: readonly RequestEnd[]) => void;
}

/** Tells one worker of each submitted request that has ended, whoever ended it: a worker, its producer, who cancels. */
export class EndedRequests {
  readonly #redis: FarmRedis;
  readonly #keys: RedisKeys;
  readonly #events: RequestEvents;
  readonly #onFault: (what: string, fault: unknown) => void;
  #looking: Promise<void> | undefined;

  /** Where nobody listens, nothing is taken: it is another worker's then. */
  constructor(
    redis: FarmRedis,
    keys: RedisKeys,
    events: RequestEvents,
    onFault: (what: string, fault: unknown) => void,
  ) {
    this.#redis = redis;
    this.#keys = keys;
    this.#events = events;
    this.#onFault = onFault;
  }

  /** Called once a second, and at the end. */
  async look(): Promise<void> {
    if (!this.#events.onRequestsEnd) return;
    this.#looking ??= this.#take().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  async #take(): Promise<void> {
    try {
      const ends = await takeEnded(this.#redis, this.#keys);
      if (ends.length > 0) this.#events.onRequestsEnd?.(ends);
    } catch (fault) {
      this.#onFault('ended requests', fault);
    }
  }
}

/** KEYS ended requests; ARGV most of them. What was put there by hand goes. */
const takeScript = new RedisScript(`#!lua flags=allow-oom
local taken = redis.pcall('LPOP', KEYS[1], ARGV[1])
if not taken then return {} end
if taken.err then
  redis.call('UNLINK', KEYS[1])
  return {}
end
return taken`);

async function takeEnded(redis: FarmRedis, keys: RedisKeys): Promise<RequestEnd[]> {
  const taken = (await takeScript.run(redis, [keys.endedRequests], [MAX_ENDS])) as string[];
  const ended = taken.flatMap((entry) => parseEntry(entry) ?? []);
  if (ended.length === 0) return [];
  const lookup = redis.pipeline();
  for (const { requestId } of ended) lookup.hgetall(keys.request(requestId));
  const answers = (await lookup.exec()) ?? [];
  return ended.flatMap(({ requestId, state }, index) => {
    const record = toRecord(requestId, answers[index]?.[1] as Record<string, string>, 0);
    if (record?.endedAtMs === undefined) return [];
    const { startedAtMs, createdAtMs, endedAtMs } = record;
    return {
      requestId,
      label: record.label,
      model: record.model,
      lane: record.lane,
      // As it ended: its results may have been taken since.
      state,
      chunks: record.chunks,
      texts: record.texts,
      done: record.textsDone,
      failed: record.textsFailed,
      tokens: record.tokens,
      waitMs: startedAtMs === undefined ? undefined : Math.max(0, startedAtMs - createdAtMs),
      totalMs: Math.max(0, endedAtMs - createdAtMs),
    };
  });
}

/** `id state`, as the script that ends a request writes it. */
function parseEntry(entry: string): Pick<RequestEnd, 'requestId' | 'state'> | undefined {
  const [requestId = '', word] = entry.split(' ');
  const state = REQUEST_STATES.find((known) => known === word);
  return state !== undefined && parseJobId(`${requestId}.0`) ? { requestId, state } : undefined;
}
