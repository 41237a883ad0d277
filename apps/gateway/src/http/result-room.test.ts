import { EventEmitter } from 'node:events';
import { EmbeddingFarm } from '@embedfarm/sdk';
import type { Response } from 'express';
import { expect, it, onTestFinished } from 'vitest';
import { OpenRequests } from './open-requests.ts';
import { ResultRoom } from './result-room.ts';

it('is held for what vectors of the model came to last, until the answer is over', async () => {
  const farm = EmbeddingFarm.inMemory({ dimensions: 100 });
  onTestFinished(() => farm.close());
  const open = new OpenRequests({ maxRequests: 1, maxBytes: 10_000 });
  const room = new ResultRoom(open);
  const begin = (): Response => new EventEmitter() as unknown as Response;
  const [first, second] = [begin(), begin()];
  room.hold(first, 'memory', 3);
  expect(open.heldBytes).toBe(3 * 3_072);
  expect(() => room.hold(second, 'memory', 3)).toThrow('[overloaded]');
  first.emit('close');
  expect(open.heldBytes).toBe(0);
  room.learn('memory', await farm.encode(['a', 'b']));
  room.hold(first, 'memory', 3);
  room.hold(second, 'memory', 3);
  expect(open.heldBytes).toBe(2 * 3 * 400);
});
