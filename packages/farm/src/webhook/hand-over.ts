import { FarmError, WEBHOOK_QUEUE, type RedisKeys } from '@embedfarm/contract';
import { Queue } from 'bullmq';
import type { FarmRedis } from '../redis/farm-redis.ts';
import { RedisScript } from '../redis/redis-script.ts';
import { readRequest } from '../request/request-record.ts';
import type { WebhookJob } from './deliver-webhook.ts';
import { webhookEvent } from './webhook-event.ts';

/** Ends taken with one call. */
const CLAIM_IDS = 100;
/** An end that its worker died over is due again after this. */
const CLAIM_MS = 30_000;
/** A webhook that was given up is kept for a look: a day, and no more than these. */
const KEEP_FAILED = { age: 86_400, count: 1_000 };
const MAX_EVENTS = 100;
/** BullMQ asks the worker for the delay of a job with this backoff. */
const BACKOFF = 'webhook';

/** KEYS webhooks-due; ARGV ids, claim time. Returns ids that are due; to others they are not, for that time. */
const claimScript = new RedisScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), id) end
return ids`);

/** `redis` is shared, and stays open when the queue is closed. */
export function openWebhookQueue(redis: FarmRedis, prefix: string): Queue {
  const queue = new Queue(WEBHOOK_QUEUE, {
    connection: redis,
    prefix,
    streams: { events: { maxLen: MAX_EVENTS } },
  });
  // Connection faults are the connection's to report.
  queue.on('error', () => undefined);
  return queue;
}

/**
 * Puts ended requests that have a webhook into its queue. An end leaves `webhooks-due` only when its job is there, and
 * the job's id is the request's: a death in between hands over twice, and enqueues once.
 */
export async function handOverEnds(
  redis: FarmRedis,
  keys: RedisKeys,
  queue: Queue,
  maxAttempts: number,
  onFault: (what: string, fault: unknown) => void,
): Promise<void> {
  for (;;) {
    const ids = (await claimScript.run(redis, [keys.webhooksDue], [CLAIM_IDS, CLAIM_MS])) as string[];
    for (const requestId of ids) {
      const job = await webhookJob(redis, keys, requestId).catch((fault: unknown) => {
        // Expired while no worker delivered, or spoilt: there is nothing to tell.
        if (!(fault instanceof FarmError)) throw fault;
        onFault(`webhook of ${requestId}`, fault);
        return undefined;
      });
      if (job) await enqueue(queue, job, maxAttempts);
      await redis.zrem(keys.webhooksDue, requestId);
    }
    if (ids.length < CLAIM_IDS) return;
  }
}

/** @returns undefined when nothing is left to deliver. */
async function webhookJob(
  redis: FarmRedis,
  keys: RedisKeys,
  requestId: string,
): Promise<WebhookJob | undefined> {
  // Its end is told as it was, whatever became of its results since.
  const record = await readRequest(redis, keys, requestId, 0);
  if (record.webhook === undefined || record.webhookState !== 'pending') return undefined;
  return {
    version: 1,
    requestId,
    url: record.webhook,
    body: JSON.stringify(webhookEvent(requestId, record)),
  };
}

async function enqueue(queue: Queue, job: WebhookJob, maxAttempts: number): Promise<void> {
  await queue.add('deliver', job, {
    jobId: job.requestId,
    attempts: maxAttempts,
    backoff: { type: BACKOFF },
    removeOnComplete: true,
    removeOnFail: KEEP_FAILED,
    stackTraceLimit: 1,
  });
}
