import { describe, expect, it } from 'vitest';
import { eventSince, eventText, snapshotEvent, snapshotText, updateEvent } from './board-event.ts';
import { mergeParts } from './board-parts.ts';
import { blankBoardState, type BoardState } from './board-state.ts';
import { boardPoint, clientRow, EMPTY_STATUS, minuteStats, requestRow } from './testing/fake-farm-view.ts';

const history = Array.from({ length: 400 }, (_, index) => boardPoint(index + 3_600));
const minutes = Array.from({ length: 7 }, (_, index) => minuteStats(60 + index));
const first = mergeParts({}, { minutes, clients: [], byClients: [] }, { update: 1, second: 3_990 });
const parts = mergeParts(first, { requests: [], clients: [] }, { update: 2, second: 3_999 });
const state: BoardState = {
  ...blankBoardState(0),
  update: 2,
  history,
  fresh: history.slice(-6),
  status: EMPTY_STATUS,
  parts,
};

/** What a browser makes of an event. */
function dataOf(text: string): unknown {
  expect(text).toMatch(/^event: board\ndata: [^\n]+\n\n$/u);
  return JSON.parse(text.slice('event: board\ndata: '.length)) as unknown;
}

describe('an event', () => {
  it('is everything for a viewer that comes', () => {
    const event = snapshotEvent(state);
    expect(event.points).toHaveLength(300);
    expect(event).toMatchObject({ minutes, clients: [], requests: [], byClients: [], waiting: null });
    expect(event).not.toHaveProperty('curves');
  });

  it('is the fresh seconds and what has changed for those who watch', () => {
    const event = updateEvent(state);
    expect(event.points).toHaveLength(6);
    // Read again as it was, it is not told again.
    expect(event).not.toHaveProperty('clients');
    expect(event).not.toHaveProperty('minutes');
    expect(event).toMatchObject({ requests: [] });
    expect(updateEvent({ ...state, update: 3 })).not.toHaveProperty('requests');
  });

  it('has of the minutes those that may have changed', () => {
    const changed = mergeParts(
      parts,
      { minutes: [...minutes.slice(0, -1), minuteStats(66, { clients: 3 })] },
      { update: 3, second: 4_000 },
    );
    const event = updateEvent({ ...state, update: 3, parts: changed });
    expect(event.minutes).toEqual([minuteStats(65), minuteStats(66, { clients: 3 })]);
  });

  it('tells who asks what has changed since, and everything after a pause or when a clock was set back', () => {
    expect(eventSince(state, 3_995)).toMatchObject({ requests: [] });
    expect(eventSince(state, 3_995)).not.toHaveProperty('clients');
    expect(eventSince(state, 3_990)).toHaveProperty('byClients');
    for (const second of [0, 3_650, 9_999]) expect(eventSince(state, second)).toEqual(snapshotEvent(state));
    expect(eventSince(blankBoardState(0), 5)).toMatchObject({ redis: 'down', points: [] });
  });

  it('is one line whatever a name holds', () => {
    const hostile = '</script>\u2028\n\ndata: b';
    const clients = [clientRow('c', { name: hostile })];
    const requests = [requestRow('0-r-1', { label: hostile })];
    const named = { ...state, parts: mergeParts({}, { clients, requests }, { update: 2, second: 0 }) };
    expect(dataOf(eventText(snapshotEvent(named)))).toMatchObject({
      clients: [{ name: hostile }],
      requests: [{ label: hostile }],
    });
  });

  it('says null where Redis has never answered', () => {
    expect(dataOf(eventText(updateEvent(blankBoardState(0))))).toMatchObject({
      redis: 'down',
      status: null,
      waiting: null,
      points: [],
    });
  });

  it('is made once for all who come before the next update', () => {
    expect(snapshotText(state)).toBe(snapshotText(state));
    expect(dataOf(snapshotText(state))).toMatchObject({ requests: [] });
  });
});
