import { describe, expect, it } from 'vitest';
import { SyntheticBoard } from '../src/testing/synthetic-board.ts';
import { fillStory, lengthsStory } from './batch-stories.ts';
import { BoardMemory, type BoardView } from './board-memory.ts';
import { failureRows, requestRows } from './farm-rows.ts';
import type { Cell, Row } from './keyed-rows.ts';
import { shownStatus } from '../src/shown-status.ts';
import { stageMeans } from './stage-means.ts';
import { budgetText, devicesText, measuredText, workerLabel, workerRows } from './worker-rows.ts';

const NOW_MS = 1_790_000_000_000;
const BUSY = viewOf('busy');

function viewOf(scene: 'busy' | 'empty' | 'hostile'): BoardView {
  return new BoardMemory().take(new SyntheticBoard(scene, NOW_MS).snapshot(NOW_MS));
}

const actionsOf = ({ cells }: Row): string[] =>
  cells.flatMap((cell) => (cell as Cell).buttons ?? []).map(({ action }) => action);

describe('workers', () => {
  it('have their devices counted by kind', () => {
    expect(devicesText(['cpu/0', 'cpu/1', 'cuda:0'].map((name) => ({ name })))).toBe('2 × cpu, 1 × cuda');
    expect(devicesText([])).toBe('none');
  });

  it('say what devices can do together, where they were measured', () => {
    expect(measuredText([{ calibratedTokensPerSecond: 700 }, {}, { calibratedTokensPerSecond: 100 }])).toBe(
      'measured 800 tokens/s',
    );
    expect(measuredText([{}])).toBe('');
    expect(budgetText([{ tokenBudget: 256 }, { tokenBudget: 256 }])).toBe('256');
    expect(budgetText([{ tokenBudget: 16_384 }, { tokenBudget: 256 }])).toBe('256–16.4K');
  });

  it('are known in a legend by host and process', () => {
    expect(workerLabel('box-2-4711-0a1b2c3d')).toBe('box-2:4711');
    expect(workerLabel('of-another-kind')).toBe('of-another-kind');
  });

  it('that are silent stand first, and nobody else is red', () => {
    const { status } = BUSY;
    if (!status) throw new Error('a busy farm has a status');
    const workers = status.workers.map((worker, index) =>
      index === 2 ? { ...worker, state: 'silent' as const } : worker,
    );
    const rows = workerRows({
      status: shownStatus({ status: { ...status, devices: [], workers: [] }, workers }),
    });
    expect(rows.map(({ state }) => state)).toEqual(['silent', 'running', 'draining', 'running']);
    const red = rows.filter(({ cells }) => cells.some((cell) => (cell as Cell).tone === 'bad'));
    expect(red.map(({ state }) => state)).toEqual(['silent']);
  });
});

describe('requests', () => {
  it('have buttons for who may act, where they can be acted on', () => {
    expect(requestRows(BUSY, false).flatMap(actionsOf)).toEqual([]);
    const byState = Object.fromEntries(requestRows(BUSY, true).map((row) => [row.state, actionsOf(row)]));
    expect(byState).toMatchObject({ queued: ['cancel'], completed: [], failed: ['retry'] });
  });
});

describe('failures', () => {
  it('show one text each, cut short', () => {
    const [row] = failureRows(viewOf('hostile'));
    const sample = row?.cells.at(-1) as Cell;
    expect(sample.small?.length).toBeLessThan(170);
    expect(sample.small).toContain('<img');
  });
});

describe('stories of minutes', () => {
  it('tell how full batches were, and how much of them was padding', () => {
    const story = fillStory(BUSY, '5min');
    expect(story.buckets.map(({ upTo }) => upTo)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    expect(story.legend.find(({ label }) => label === 'padding')?.value).toBe('7.3 %');
  });

  it('reach to the line where texts are cut', () => {
    const story = lengthsStory(BUSY, '1h');
    expect(story.marks).toEqual([{ at: 256, label: 'cut at 256' }]);
    expect(story.buckets.at(-1)?.upTo).toBe(256);
    expect(story.legend.at(-1)).toMatchObject({ label: 'truncated', value: '1.2 %' });
  });

  it('of an idle farm hold nothing', () => {
    const idle = viewOf('empty');
    expect(fillStory(idle, '5min').buckets.every(({ count }) => count === 0)).toBe(true);
    expect(lengthsStory(idle, '5min').buckets).toEqual([]);
    expect(stageMeans(idle.minutes, 'bulk')).toBeUndefined();
  });

  it('have the mean of each stage, the reply by who waits for one', () => {
    const [minute] = BUSY.minutes;
    if (!minute) throw new Error('a busy farm has minutes');
    const bulk = {
      ...minute.lanes.bulk,
      chunks: 4,
      replies: 2,
      replyMs: 10,
      stages: { ...minute.lanes.bulk.stages, queueMs: 100 },
    };
    const of = (lane: typeof bulk) =>
      stageMeans([{ ...minute, lanes: { ...minute.lanes, bulk: lane } }], 'bulk');
    expect(of(bulk)).toMatchObject({ queue: 25, reply: 5 });
    expect(of({ ...bulk, replies: 0, replyMs: 0 })?.reply).toBe(0);
  });
});
