import { expect, it } from 'vitest';
import { PART_NAMES } from './board-parts.ts';
import { PartSchedule } from './part-schedule.ts';

it('reads everything at first, and then each part as often as it may change', () => {
  const schedule = new PartSchedule();
  expect(schedule.take(0)).toEqual(PART_NAMES);
  expect(schedule.take(1_000)).toEqual([]);
  expect(schedule.take(1_990)).toEqual(['minutes', 'byClients', 'requests']);
  expect(schedule.take(5_000)).toEqual(expect.arrayContaining(['clients', 'failures']));
  expect(schedule.take(30_000)).toEqual(PART_NAMES);
});

it('does not wait for a clock that was set back', () => {
  const schedule = new PartSchedule();
  schedule.take(1_000_000);
  expect(schedule.take(5)).toEqual(PART_NAMES);
});
