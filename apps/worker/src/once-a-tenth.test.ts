import { expect, it } from 'vitest';
import { onceATenth } from './once-a-tenth.ts';

it('Progress is told once a tenth, and whole at the end', () => {
  const told: number[] = [];
  const tell = onceATenth((percent) => told.push(percent));
  for (const done of [0, 19, 20, 21, 15, 60, 99, 200]) tell(done, 200);
  expect(told).toEqual([10, 30, 40, 100]);
});
