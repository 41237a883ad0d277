import type { FarmStatus } from '@embedfarm/sdk';
import { describe, expect, it } from 'vitest';
import { statusTable } from './status-table.ts';

const quiet: FarmStatus = {
  models: [],
  workers: [],
  devices: [],
  backlog: { interactive: 0, bulk: 3 },
  clients: 2,
  cache: { lookups: 0, hits: 0 },
  openRequests: 0,
  webhooksDue: 0,
  admission: {
    texts: 0,
    bytes: 0,
    maxTexts: 1_000,
    maxBytes: 1_000,
    memory: { usedBytes: 0, maxBytes: 1_000, stopBytes: 600 },
  },
};

describe('statusTable', () => {
  it('says nothing of a cache that nobody asks', () => {
    expect(statusTable(quiet)).toBe(
      'models: none\nworkers: none\ndevices: none\nbacklog: 0 interactive, 3 bulk jobs\nclients: 2\n',
    );
  });

  it('gives the hits of the last minute', () => {
    expect(statusTable({ ...quiet, cache: { lookups: 40, hits: 10 } })).toMatch(
      /clients: 2\ncache: 10 of 40 texts \(25 %\) in the last minute\n$/,
    );
  });
});
