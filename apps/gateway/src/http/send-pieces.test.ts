import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from '@embedfarm/testkit/eventually';
import express, { type Response } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { sendPieces } from './send-pieces.ts';

const PIECE = 'x'.repeat(1_000);
const PIECES = 50_000;

/** A server that answers in pieces, and a caller that has read the head of the answer. */
async function begin(count: number): Promise<{
  incoming: IncomingMessage;
  made: () => number;
  response: () => Response;
  sent: Promise<void>;
}> {
  let made = 0;
  let own: Response | undefined;
  let resolveSent: (sent: Promise<void>) => void = () => undefined;
  const sent = new Promise<void>((resolve) => (resolveSent = resolve));
  const pieces = function* (): Generator<string> {
    for (; made < count; made += 1) yield PIECE;
  };
  const app = express().get('/', (_request, response) => {
    own = response;
    resolveSent(sendPieces(response, pieces()));
  });
  const server: Server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const [incoming] = (await once(get({ port, agent: false }), 'response')) as [IncomingMessage];
  return { incoming, made: () => made, response: () => own as Response, sent };
}

it('sends what is short with its length', async () => {
  const { incoming, sent } = await begin(10);
  await sent;
  expect(incoming.headers['content-length']).toBe('10000');
  incoming.resume();
});

it('makes pieces no faster than they are read, and leaves no listener behind', async () => {
  const { incoming, made, response, sent } = await begin(PIECES);
  const before = response().listenerCount('close');
  await eventually(() => response().writableNeedDrain, { what: 'a full pipe' });
  expect(made()).toBeLessThan(PIECES / 2);
  let bytes = 0;
  incoming.on('data', (part: Buffer) => (bytes += part.length));
  await once(incoming, 'end');
  await sent;
  expect(bytes).toBe(PIECES * PIECE.length);
  expect(response().listenerCount('close')).toBeLessThanOrEqual(before);
  expect(response().listenerCount('drain')).toBe(0);
});

it('ends when its reader is gone', async () => {
  const { incoming, made, response, sent } = await begin(PIECES);
  await eventually(() => response().writableNeedDrain, { what: 'a full pipe' });
  incoming.destroy();
  await sent;
  expect(made()).toBeLessThan(PIECES);
});
