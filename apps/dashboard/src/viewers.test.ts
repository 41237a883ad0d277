import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { Viewers, type EventResponse } from './viewers.ts';

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

it('gives a viewer the first event at once, then each one sent', () => {
  const viewers = new Viewers();
  const response = new FakeResponse();
  expect(viewers.add(response, 'first')).toBe(true);
  viewers.send('second');
  expect(response.headers['Content-Type']).toContain('text/event-stream');
  expect(response.written.join('')).toMatch(/^retry: \d+\nfirstsecond$/u);
});

it('forgets a viewer that went', () => {
  const viewers = new Viewers();
  const response = new FakeResponse();
  viewers.add(response, '');
  response.emit('close');
  viewers.send('more');
  expect(viewers.size).toBe(0);
  expect(response.written).toHaveLength(1);
});

it('lets go of a viewer that does not read, and of nobody else', () => {
  const viewers = new Viewers();
  const [asleep, awake] = [new FakeResponse(), new FakeResponse()];
  viewers.add(asleep, '');
  viewers.add(awake, '');
  asleep.writableLength = 2_000_000;
  viewers.send('more');
  expect(viewers.size).toBe(1);
  expect(awake.written).toHaveLength(2);
});

it('is full at some point', () => {
  const viewers = new Viewers();
  while (viewers.size < 500) viewers.add(new FakeResponse(), '');
  expect(viewers.add(new FakeResponse(), '')).toBe(false);
});

it('ends every stream at close', () => {
  const viewers = new Viewers();
  viewers.add(new FakeResponse(), '');
  viewers.close();
  expect(viewers.size).toBe(0);
});
