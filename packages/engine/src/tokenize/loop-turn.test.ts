import { describe, expect, it } from 'vitest';
import { LoopTurn } from './loop-turn.ts';

/** Holds the main loop. */
function work(): void {
  const untilMs = performance.now() + 2;
  while (performance.now() < untilMs);
}

describe('LoopTurn', () => {
  it('is long once its work held the main loop, and short again when the loop has gone on', async () => {
    const turn = new LoopTurn();
    expect(turn.isLong).toBe(false);
    work();
    expect(turn.isLong).toBe(true);
    await turn.end;
    expect(turn.isLong).toBe(false);
    work();
    expect(turn.isLong).toBe(true);
  });

  it('lets a timer run that is due', async () => {
    const turn = new LoopTurn();
    const events: string[] = [];
    setTimeout(() => events.push('timer'), 0);
    for (const piece of ['a', 'b', 'c', 'd', 'e', 'f']) {
      if (turn.isLong) await turn.end;
      work();
      events.push(piece);
    }
    expect(events.indexOf('timer')).toBeGreaterThan(0);
    expect(events.indexOf('timer')).toBeLessThan(6);
  });
});
