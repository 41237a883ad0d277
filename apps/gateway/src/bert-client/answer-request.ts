import { FarmError } from '@embedfarm/contract';
import type { DoorCounters } from './door-counters.ts';
import type { DoorFigures } from './door-figures.ts';
import { encodeRequest, type EncodePorts } from './encode-request.ts';
import type { QuietLog } from './quiet-log.ts';
import type { DoorRequest } from './read-request.ts';
import type { RequestStatistic } from './request-statistic.ts';
import { answerFrames, failureFrames, resultFrames } from './result-frames.ts';
import { configFailure, serverConfig, serverStatus, type DoorFacts } from './server-config.ts';

export interface AnswerPorts extends EncodePorts {
  readonly counters: DoorCounters;
  readonly statistic: RequestStatistic;
  readonly log: QuietLog;
  readonly facts: DoorFacts;
  figures(): DoorFigures;
}

/** What a client hears of its request, whatever becomes of it. Never throws. */
export async function answerRequest(
  request: DoorRequest,
  ports: AnswerPorts,
  abort: AbortController,
): Promise<Buffer[]> {
  const { counters, log } = ports;
  try {
    if (request.kind !== 'encode') return answerFrames(request, await describe(request, ports, abort.signal));
    const { array, texts } = await encodeRequest(request, ports, abort);
    counters.texts += texts;
    return resultFrames(request, array);
  } catch (thrown) {
    const fault = FarmError.from(thrown);
    log.warn(`bert client: ${request.kind} of ${request.rows} texts failed: ${fault.message}`);
    if (request.kind !== 'encode') return answerFrames(request, configFailure(fault));
    counters.failed += 1;
    return failureFrames(request, fault);
  }
}

async function describe(
  { kind, client }: DoorRequest,
  ports: AnswerPorts,
  signal: AbortSignal,
): Promise<object> {
  const { link, counters, statistic, facts } = ports;
  const config = serverConfig(facts, client, await link.model(signal));
  if (kind === 'config') return config;
  const farm = await link.status(signal);
  return serverStatus(config, statistic.value(), { ...counters, now: ports.figures() }, farm);
}
