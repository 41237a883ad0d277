import { expect, it } from 'vitest';
import { snapshotEvent, updateEvent } from './board-event.ts';
import { blankBoardState } from './board-state.ts';
import { EMPTY_STATUS, statsPoint } from './testing/fake-farm-view.ts';

const history = Array.from({ length: 400 }, (_, second) => statsPoint(second));
const state = { ...blankBoardState(0), history, fresh: history.slice(-6), status: EMPTY_STATUS };

/** What a browser makes of an event. */
function dataOf(event: string): { points: unknown[]; status: unknown } {
  expect(event).toMatch(/^event: board\ndata: [^\n]+\n\n$/u);
  return JSON.parse(event.slice('event: board\ndata: '.length)) as { points: unknown[]; status: unknown };
}

it('shows five minutes to a viewer that comes, and the fresh seconds to the others', () => {
  expect(dataOf(snapshotEvent(state)).points).toHaveLength(300);
  expect(dataOf(updateEvent(state)).points).toHaveLength(6);
});

it('is one line whatever a name holds', () => {
  const models = [
    {
      model: 'a\n\ndata: b',
      fingerprint: 'f',
      dimensions: 1,
      pooling: 'mean',
      normalize: true,
      maxSequenceLength: 1,
      dtype: 'float32' as const,
      meaningful: true,
      workers: 1,
      backlog: { interactive: 0, bulk: 0 },
    },
  ];
  const event = snapshotEvent({ ...state, status: { ...EMPTY_STATUS, models } });
  expect(dataOf(event).status).toMatchObject({ models });
});

it('says null where Redis has never answered', () => {
  expect(dataOf(updateEvent(blankBoardState(0)))).toMatchObject({ redis: 'down', status: null, points: [] });
});
