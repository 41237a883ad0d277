import { describe, expect, it } from 'vitest';
import { statsPoint } from './testing/fake-farm-view.ts';
import { throughputByClients } from './throughput-by-clients.ts';

describe('throughputByClients', () => {
  it('takes the median of the seconds with as many clients, fewest clients first', () => {
    const history = [
      statsPoint(1, { clients: 4, texts: 400 }),
      statsPoint(2, { clients: 1, texts: 100 }),
      statsPoint(3, { clients: 1, texts: 900 }),
      statsPoint(4, { clients: 1, texts: 120 }),
      statsPoint(5, { clients: 4, texts: 500 }),
    ];
    expect(throughputByClients(history)).toEqual([
      { clients: 1, seconds: 3, textsPerSecond: 120, textsPerSecondPerClient: 120 },
      { clients: 4, seconds: 2, textsPerSecond: 450, textsPerSecondPerClient: 112.5 },
    ]);
  });

  it('leaves out seconds in which nobody asked for anything', () => {
    const history = [statsPoint(1, { clients: 2 }), statsPoint(2, { clients: 2, texts: 50 })];
    expect(throughputByClients(history)).toEqual([
      { clients: 2, seconds: 1, textsPerSecond: 50, textsPerSecondPerClient: 25 },
    ]);
  });

  it('counts a second in which jobs waited and none was finished', () => {
    const history = [statsPoint(1, { clients: 1, backlog: { interactive: 0, bulk: 3 } })];
    expect(throughputByClients(history)).toEqual([
      { clients: 1, seconds: 1, textsPerSecond: 0, textsPerSecondPerClient: 0 },
    ]);
  });

  it('leaves out a second of which nobody knows the clients', () => {
    expect(throughputByClients([statsPoint(1, { texts: 50, clients: null, backlog: null })])).toEqual([]);
  });

  it('gathers numbers that are close where there are very many', () => {
    const history = Array.from({ length: 3_600 }, (_, index) =>
      statsPoint(index, { clients: index + 1, texts: 2 * (index + 1) }),
    );
    const rows = throughputByClients(history);
    expect(rows.length).toBeLessThanOrEqual(101);
    expect(rows.reduce((sum, { seconds }) => sum + seconds, 0)).toBe(3_600);
    expect(rows.slice(0, 3).map(({ clients }) => clients)).toEqual([1, 2, 3]);
    for (const { textsPerSecondPerClient } of rows) expect(textsPerSecondPerClient).toBeCloseTo(2, 0);
  });

  it('leaves out work whose clients are gone: there is no number to divide by', () => {
    expect(throughputByClients([statsPoint(1, { texts: 50 })])).toEqual([]);
  });
});
