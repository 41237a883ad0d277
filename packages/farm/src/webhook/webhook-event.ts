import { FarmError } from '@embedfarm/contract';
import type { RequestRecord, RequestState } from '../request/request-record.ts';

/** What a receiver is told, as JSON: counts and times, never texts or vectors. */
export interface WebhookEvent {
  readonly type: `request.${EventState}`;
  /** The request's end, ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    readonly id: string;
    readonly state: EventState;
    readonly label: string | null;
    readonly model: string;
    readonly texts: number;
    /** Texts with a vector. */
    readonly done: number;
    readonly failed: number;
    readonly createdAt: string;
    readonly endedAt: string;
  };
}

const EVENT_STATES = ['completed', 'failed', 'cancelled', 'incomplete'] as const;
type EventState = (typeof EVENT_STATES)[number];

/** @throws FarmError `internal` when the request has not ended. */
export function webhookEvent(requestId: string, record: RequestRecord): WebhookEvent {
  const { state, label = null, model, texts, textsDone, textsFailed, createdAtMs, endedAtMs } = record;
  if (!isEventState(state) || endedAtMs === undefined) {
    throw new FarmError('internal', `request ${requestId} is ${state}, and has a webhook due`);
  }
  const endedAt = new Date(endedAtMs).toISOString();
  const data = {
    id: requestId,
    state,
    label,
    model,
    texts,
    done: textsDone,
    failed: textsFailed,
    createdAt: new Date(createdAtMs).toISOString(),
    endedAt,
  };
  return { type: `request.${state}`, timestamp: endedAt, data };
}

function isEventState(state: RequestState): state is EventState {
  return EVENT_STATES.some((known) => known === state);
}
