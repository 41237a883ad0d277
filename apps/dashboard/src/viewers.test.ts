import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { Viewers, type EventResponse, type ViewersUpdate } from './viewers.ts';

class FakeResponse extends EventEmitter implements EventResponse {
  writableLength = 0;
  readonly written: string[] = [];
  headers: Readonly<Record<string, string>> = {};

  writeHead(_status: number, headers: Readonly<Record<string, string>>): void {
    this.headers = headers;
  }

  write(text: string): void {
    this.written.push(text);
  }

  end(): void {
    this.emit('close');
  }

  destroy(): void {
    this.emit('close');
  }
}

const update = (text: string, second = 2): ViewersUpdate => ({
  second,
  text,
  since: (missed) => `since ${missed}`,
});

it('gives a viewer the first event at once, then each one sent', () => {
  const viewers = new Viewers();
  const response = new FakeResponse();
  expect(viewers.add(response, 'first', 1)).toBe(true);
  viewers.send(update('second'));
  expect(response.headers['Content-Type']).toContain('text/event-stream');
  expect(response.written.join('')).toMatch(/^retry: \d+\nfirstsecond$/u);
});

it('forgets a viewer that went', () => {
  const viewers = new Viewers();
  const response = new FakeResponse();
  viewers.add(response, '', 1);
  response.emit('close');
  viewers.send(update('more'));
  expect(viewers.size).toBe(0);
  expect(response.written).toHaveLength(1);
});

it('tells a slow viewer nothing more until it has read, and then once what it missed', () => {
  const viewers = new Viewers();
  const slow = new FakeResponse();
  viewers.add(slow, 'first', 1);
  slow.writableLength = 900_000;
  viewers.send(update('two', 2));
  slow.writableLength = 500_000;
  viewers.send(update('three', 3));
  slow.writableLength = 100_000;
  viewers.send(update('four', 4));
  viewers.send(update('five', 5));
  expect(slow.written.slice(1)).toEqual(['since 1', 'five']);
});

it('lets go of a viewer that does not read, and of nobody else', () => {
  const viewers = new Viewers();
  const [asleep, awake, slow] = [new FakeResponse(), new FakeResponse(), new FakeResponse()];
  for (const response of [asleep, awake, slow]) viewers.add(response, '', 1);
  asleep.writableLength = 2_000_000;
  for (let second = 2; second < 40; second += 1) {
    slow.writableLength = 2_000_000 - second * 100;
    viewers.send(update('more', second));
  }
  expect(viewers.size).toBe(2);
  // What piled up before it was let go is what it had at first.
  expect(asleep.written).toHaveLength(1);
  expect(awake.written).toHaveLength(39);
  expect(slow.written).toHaveLength(1);
});

it('is full at some point', () => {
  const viewers = new Viewers();
  while (viewers.size < 500) viewers.add(new FakeResponse(), '', 1);
  expect(viewers.add(new FakeResponse(), '', 1)).toBe(false);
});

it('ends every stream at close', () => {
  const viewers = new Viewers();
  viewers.add(new FakeResponse(), '', 1);
  viewers.close();
  expect(viewers.size).toBe(0);
});
