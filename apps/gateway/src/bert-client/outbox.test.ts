import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Outbox, type OutgoingResult } from './outbox.ts';

const UNCLAIMED_MS = 1_000;

/** A publisher that tells what it was given. */
class FakePublisher {
  readonly topics = new Set<string>();
  readonly full = new Set<string>();
  readonly sent: string[] = [];
  readonly dropped: string[] = [];
  readonly outbox = new Outbox(
    {
      send: async ([topic, text]) => {
        if (this.full.has(String(topic))) return false;
        this.sent.push(String(text));
        return true;
      },
      has: (client) => this.topics.has(client),
      hears: (client) => [...this.topics].some((topic) => client.startsWith(topic)),
      onLeave: (_, { frames }, isSent) => {
        if (!isSent) this.dropped.push(String(frames[1]));
      },
    },
    { unclaimedMs: UNCLAIMED_MS },
  );

  put(client: string, ...texts: string[]): void {
    for (const text of texts) this.outbox.put(client, result(client, text));
  }

  subscribe(topic: string): void {
    this.topics.add(topic);
    this.outbox.claim(topic);
  }
}

function result(client: string, text: string): OutgoingResult {
  return { frames: [Buffer.from(client), Buffer.from(text)], bytes: text.length };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('sends what is claimed at once, in order', async () => {
  const publisher = new FakePublisher();
  publisher.subscribe('a');
  publisher.put('a', 'a1', 'a2', 'a3');
  await publisher.outbox.idle();
  expect(publisher.sent).toEqual(['a1', 'a2', 'a3']);
});

it('keeps the first result until its client has subscribed', async () => {
  const publisher = new FakePublisher();
  publisher.put('a', 'a1');
  await vi.advanceTimersByTimeAsync(UNCLAIMED_MS - 10);
  expect(publisher.sent).toEqual([]);
  publisher.subscribe('a');
  await publisher.outbox.idle();
  expect(publisher.sent).toEqual(['a1']);
  await vi.advanceTimersByTimeAsync(UNCLAIMED_MS);
  expect(publisher.dropped).toEqual([]);
});

it('drops what nobody claims, and forgets the client', async () => {
  const publisher = new FakePublisher();
  publisher.put('a', 'a1', 'a2');
  await vi.advanceTimersByTimeAsync(UNCLAIMED_MS);
  expect(publisher.dropped).toEqual(['a1', 'a2']);
  expect(publisher.outbox.lines).toBe(0);
});

it('gives the own subscription a moment to come before that of who hears everything', async () => {
  const publisher = new FakePublisher();
  publisher.subscribe('');
  publisher.put('a', 'a1');
  await vi.advanceTimersByTimeAsync(100);
  expect(publisher.sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(100);
  expect(publisher.sent).toEqual(['a1']);
});

it('waits for room for a slow client, and serves others meanwhile', async () => {
  const publisher = new FakePublisher();
  publisher.subscribe('a');
  publisher.subscribe('b');
  publisher.full.add('a');
  publisher.put('a', 'a1', 'a2');
  publisher.put('b', 'b1');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(publisher.sent).toEqual(['b1']);
  expect(publisher.outbox.isStuck('a')).toBe(true);
  publisher.full.clear();
  await vi.advanceTimersByTimeAsync(100);
  expect(publisher.sent).toEqual(['b1', 'a1', 'a2']);
  expect(publisher.outbox.isStuck('a')).toBe(false);
  expect(publisher.dropped).toEqual([]);
});

it('keeps results for a client whose connection is lost, until it is back', async () => {
  const publisher = new FakePublisher();
  publisher.subscribe('a');
  publisher.put('a', 'a1');
  await publisher.outbox.idle();
  publisher.topics.delete('a');
  publisher.put('a', 'a2');
  await vi.advanceTimersByTimeAsync(UNCLAIMED_MS / 2);
  publisher.subscribe('a');
  await publisher.outbox.idle();
  expect(publisher.sent).toEqual(['a1', 'a2']);
});

it('drops the results of the stuck client that has the most, where it is told to', async () => {
  const publisher = new FakePublisher();
  for (const client of ['a', 'b', 'c']) {
    publisher.subscribe(client);
    if (client !== 'c') publisher.full.add(client);
  }
  publisher.put('a', 'a1');
  publisher.put('b', 'b1', 'b2');
  expect(publisher.outbox.dropLongest()).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(publisher.outbox.dropLongest()).toBe(true);
  expect(publisher.dropped).toEqual(['b1', 'b2']);
  publisher.full.clear();
  await vi.advanceTimersByTimeAsync(100);
  publisher.put('b', 'b3');
  await publisher.outbox.idle();
  expect(publisher.sent).toEqual(['a1', 'b3']);
});

it('drops what is left when it is closed', async () => {
  const publisher = new FakePublisher();
  publisher.put('a', 'a1');
  publisher.outbox.close();
  await publisher.outbox.idle();
  expect(publisher.dropped).toEqual(['a1']);
  expect(vi.getTimerCount()).toBe(0);
});
