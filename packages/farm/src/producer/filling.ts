import type { CallOptions } from './encode-call.ts';

/** What a submitted request has beside an awaited one. */
export interface SubmitTerms {
  readonly label?: string | undefined;
  /** Where its end is posted to, as `webhookUrlSchema` writes it. */
  readonly webhook?: string | undefined;
  readonly resultTtlMs?: number | undefined;
}

/** `closed`: the producer closes. */
export type FillOptions = CallOptions & { readonly closed: AbortSignal };

/** A request that a producer fills. */
export interface Filling {
  readonly requestId: string;
  /** Ends when all of it is in Redis; rejects with why it is not. */
  readonly filled: Promise<void>;
}

/** One that this process can stop. */
export interface OwnFilling extends Filling {
  /** The request was cancelled: nothing more is read, nor waited for. */
  stop(): void;
}
