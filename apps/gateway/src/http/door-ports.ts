import type { BertStatus } from '../bert-http/bert-status.ts';
import type { FarmLink } from '../farm-link.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { Call } from './call.ts';
import type { ResultRoom } from './result-room.ts';

/** What every door stands on. */
export interface DoorPorts {
  readonly link: FarmLink;
  readonly metrics: GatewayMetrics;
  readonly room: ResultRoom;
  /** The model of calls that name none. */
  readonly model: string | undefined;
  readonly maxBodyBytes: number;
  readonly maxOpenRequests: number;
  /** What bert-as-service's two doors tell of themselves. */
  readonly bert: BertStatus;
  /** Aborts when the gateway takes no more. */
  readonly draining: AbortSignal;
  /**
   * Takes texts off what a call's key may take.
   *
   * @throws FarmError `overloaded` with `retryAfterMs`.
   */
  readonly charge: (call: Call, texts: number) => Promise<void>;
}
