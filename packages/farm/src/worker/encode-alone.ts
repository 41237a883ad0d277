import {
  encodeJobId,
  failedBlock,
  joinBlocks,
  type EncodeJob,
  type Lane,
  type VectorBlock,
} from '@embedfarm/contract';
import type { SuspectRuns } from '../redis/suspect-runs.ts';
import type { Encoder } from './encoder.ts';
import type { EngineDoor } from './engine-door.ts';
import { MAX_LONE_DEATHS, planAloneRuns, type TextRange } from './plan-alone-runs.ts';

/** What running a suspect needs of its worker. */
export interface AlonePorts {
  readonly runs: SuspectRuns;
  readonly door: EngineDoor;
  readonly encoder: Encoder;
  /** Writes to Redis, and waits where that has no memory. */
  readonly whenRoom: <Value>(write: () => Promise<Value>) => Promise<Value>;
  /** Time for the jobs that came back from the same death to go before one that is known to kill. */
  readonly letOthersPass: () => Promise<void>;
}

/**
 * Encodes a chunk whose worker has died before, with nobody else in the engine, and with a mark in Redis
 * for each run: what kills the process takes no stranger with it, and a text that does it by itself
 * again and again has failed with `device_lost`, alone. A job that was only in the company of another
 * passes here once and is done.
 *
 * @throws FarmError as `Encoder.encode`; `cancelled` when the worker closes before the first run.
 */
export async function encodeAlone(
  job: EncodeJob,
  ports: AlonePorts,
  call: { signal: AbortSignal; lane: Lane },
): Promise<VectorBlock> {
  const jobId = encodeJobId(job.requestId, job.chunkIndex);
  const deaths = await ports.runs.deaths(jobId);
  if (deaths.length > 0) await ports.letOthersPass();
  const leave = await ports.door.enterAlone(deaths.length, call.signal);
  try {
    const blocks = new Map<number, VectorBlock>();
    for (const { isGivenUp, ...range } of planAloneRuns(job.texts.length, deaths)) {
      blocks.set(range.from, isGivenUp ? givenUp() : await runMarked(job, jobId, range, ports, call));
    }
    return joinBlocks([...blocks].toSorted(([a], [b]) => a - b).map(([, block]) => block));
  } finally {
    leave();
  }
}

async function runMarked(
  { texts, options }: EncodeJob,
  jobId: string,
  { from, to }: TextRange,
  { runs, encoder, whenRoom }: AlonePorts,
  call: { signal: AbortSignal; lane: Lane },
): Promise<VectorBlock> {
  const runId = await whenRoom(() => runs.begin(jobId, { from, to }));
  try {
    return await encoder.encode(texts.slice(from, to), options, call);
  } finally {
    await runs.end(jobId, runId);
  }
}

function givenUp(): VectorBlock {
  const message = `the worker died ${MAX_LONE_DEATHS} times while it ran this text by itself`;
  return failedBlock(1, 'device_lost', message);
}
