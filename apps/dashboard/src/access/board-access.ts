import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { FarmError } from '@embedfarm/contract';
import { WrongKeys } from './wrong-keys.ts';

/** A page that stays open over a working day needs no second sign-in. */
export const SESSION_MS = 12 * 3_600_000;

/** What a request brings to be let in by. */
export interface Credentials {
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  /** The session's cookie. */
  readonly session: string | undefined;
  /** Where it comes from. */
  readonly address: string | undefined;
}

/** Who may look, and who may act. */
export class BoardAccess {
  readonly #key: Buffer | undefined;
  /** Signs sessions: they end with this process. */
  readonly #secret = randomBytes(32);
  readonly #wrong = new WrongKeys();
  readonly #nowMs: () => number;

  constructor(key: string | undefined, nowMs: () => number = Date.now) {
    this.#key = key === undefined ? undefined : digest(key);
    this.#nowMs = nowMs;
  }

  /** Whether a key is set: without one whoever reaches the page may look, and nobody may act. */
  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /** @throws FarmError `unauthenticated` for who has neither key nor session; `overloaded` after many wrong keys. */
  check({ authorization, session, address }: Credentials): void {
    if (!this.#key || this.#isSession(session)) return;
    const [, bearer] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    if (bearer === undefined) {
      throw new FarmError('unauthenticated', 'sign in, or send the key as Authorization: Bearer KEY');
    }
    this.#checkKey(bearer, address);
  }

  /**
   * @returns a session for who has the key.
   * @throws FarmError `unauthenticated` for a wrong key; `overloaded` after many of them.
   */
  signIn(key: string, address: string | undefined): string {
    this.#checkKey(key, address);
    const endsAt = (this.#nowMs() + SESSION_MS).toString(36);
    return `${endsAt}.${this.#sign(endsAt)}`;
  }

  #checkKey(key: string, address: string | undefined): void {
    const nowMs = this.#nowMs();
    const waitMs = this.#wrong.waitMs(address, nowMs);
    if (waitMs > 0) {
      const message = `too many wrong keys; try again in ${Math.ceil(waitMs / 1_000)} s`;
      throw new FarmError('overloaded', message, { retryAfterMs: waitMs });
    }
    // Of equal length, so that the time tells nothing.
    if (this.#key && timingSafeEqual(digest(key), this.#key)) {
      this.#wrong.forget(address);
      return;
    }
    this.#wrong.note(address, nowMs);
    throw new FarmError('unauthenticated', 'the key is wrong');
  }

  #isSession(session: string | undefined): boolean {
    const [, endsAt = '', signature = ''] = /^([0-9a-z]{1,12})\.([\w-]{43})$/.exec(session ?? '') ?? [];
    if (endsAt === '' || Number.parseInt(endsAt, 36) <= this.#nowMs()) return false;
    return timingSafeEqual(digest(signature), digest(this.#sign(endsAt)));
  }

  #sign(endsAt: string): string {
    return createHmac('sha256', this.#secret).update(endsAt).digest('base64url');
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
