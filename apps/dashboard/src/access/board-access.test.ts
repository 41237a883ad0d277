import { describe, expect, it } from 'vitest';
import { BoardAccess, SESSION_MS } from './board-access.ts';

const KEY = 'a-key-of-some-length';
const nobody = { authorization: undefined, session: undefined, address: '192.0.2.1' };

function codeOf(call: () => unknown): unknown {
  try {
    call();
    return 'in';
  } catch (fault) {
    return (fault as { code: string }).code;
  }
}

describe('access to the board', () => {
  it('is everybody’s without a key', () => {
    const access = new BoardAccess(undefined);
    expect(access.hasKey).toBe(false);
    expect(codeOf(() => access.check(nobody))).toBe('in');
    expect(codeOf(() => access.signIn('', undefined))).toBe('unauthenticated');
  });

  it('takes the key as a bearer, and a session made of it', () => {
    const access = new BoardAccess(KEY);
    expect(codeOf(() => access.check(nobody))).toBe('unauthenticated');
    expect(codeOf(() => access.check({ ...nobody, authorization: `Bearer ${KEY}` }))).toBe('in');
    expect(codeOf(() => access.check({ ...nobody, authorization: `Basic ${KEY}` }))).toBe('unauthenticated');
    const session = access.signIn(KEY, '192.0.2.1');
    expect(session).not.toContain(KEY);
    expect(codeOf(() => access.check({ ...nobody, session }))).toBe('in');
  });

  it('takes no session that is over, written by hand, or of another process', () => {
    let nowMs = 1_000;
    const access = new BoardAccess(KEY, () => nowMs);
    const session = access.signIn(KEY, undefined);
    const [endsAt = '', signature = ''] = session.split('.');
    const later = (Number.parseInt(endsAt, 36) + 1).toString(36);
    const foreign = new BoardAccess(KEY, () => nowMs).signIn(KEY, undefined);
    for (const bad of ['', 'x', '.', `${later}.${signature}`, `${endsAt}.`, foreign, `${session} `, KEY]) {
      expect(codeOf(() => access.check({ ...nobody, session: bad }))).toBe('unauthenticated');
    }
    nowMs += SESSION_MS - 1;
    expect(codeOf(() => access.check({ ...nobody, session }))).toBe('in');
    nowMs += 1;
    expect(codeOf(() => access.check({ ...nobody, session }))).toBe('unauthenticated');
  });

  it('slows down who guesses, and nobody who is in', () => {
    let nowMs = 1_000;
    const access = new BoardAccess(KEY, () => nowMs);
    const session = access.signIn(KEY, '192.0.2.1');
    for (let tried = 0; tried < 5; tried += 1) {
      expect(codeOf(() => access.signIn('wrong', '192.0.2.1'))).toBe('unauthenticated');
    }
    // Not even the right one is looked at, by either door.
    expect(codeOf(() => access.signIn(KEY, '192.0.2.1'))).toBe('overloaded');
    expect(codeOf(() => access.check({ ...nobody, authorization: 'Bearer x' }))).toBe('overloaded');
    expect(codeOf(() => access.check({ ...nobody, session }))).toBe('in');
    expect(codeOf(() => access.signIn(KEY, '192.0.2.2'))).toBe('in');
    nowMs += 1_000;
    expect(codeOf(() => access.signIn(KEY, '192.0.2.1'))).toBe('in');
  });
});
