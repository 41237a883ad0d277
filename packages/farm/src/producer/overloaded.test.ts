import { expect, it } from 'vitest';
import type { AdmissionAnswer, AdmissionStatus } from '../redis/admission.ts';
import { neverFits, overloaded } from './overloaded.ts';

const farm: AdmissionStatus = {
  texts: 900,
  bytes: 90_000,
  maxTexts: 1_000,
  maxBytes: 100_000,
  memory: { usedBytes: 70_000, maxBytes: 100_000, stopBytes: 60_000 },
};
const answer = (drainedTexts: number): AdmissionAnswer => ({
  full: 'texts',
  lease: { texts: 0, bytes: 0 },
  farm,
  drainedTexts,
});

it('says to come back when the excess is drained at the pace of the last 10 s', () => {
  const more = { texts: 300, bytes: 30_000 };
  // 200 texts, 20,000 bytes of 100 a text, 10,000 bytes of memory: at 20 texts/s.
  expect(overloaded(answer(200), 'texts', more).retryAfterMs).toBe(10_000);
  expect(overloaded(answer(200), 'bytes', more).retryAfterMs).toBe(10_000);
  expect(overloaded(answer(200), 'memory', more).retryAfterMs).toBe(5_000);
});

it('stays between 250 ms and a minute, and says a minute of a farm that settles nothing', () => {
  const more = { texts: 101, bytes: 1 };
  expect(overloaded(answer(1_000_000), 'texts', more).retryAfterMs).toBe(250);
  expect(overloaded(answer(1), 'memory', more).retryAfterMs).toBe(60_000);
  expect(overloaded(answer(0), 'texts', more).retryAfterMs).toBe(60_000);
});

it('names what is full, how much of it there is, and the limit', () => {
  const more = { texts: 300, bytes: 30_000 };
  expect(overloaded(answer(200), 'texts', more).message).toBe(
    '[overloaded] the farm holds 900 texts, with 300 more the limit of 1000 is passed; come back in 10000 ms',
  );
  expect(overloaded(answer(200), 'bytes', more).message).toContain('90000 bytes, with 30000 more');
  expect(overloaded(answer(200), 'memory', more).message).toContain('Redis uses 70000 of its 100000 bytes');
});

it('is not for what an empty farm has no room for', () => {
  expect(neverFits({ texts: 1_000, bytes: 100_000 }, farm)).toBeUndefined();
  expect(neverFits({ texts: 1_001, bytes: 0 }, farm)?.code).toBe('invalid_argument');
  expect(neverFits({ texts: 1, bytes: 100_001 }, farm)?.detail).toContain('limit is 100000');
});
