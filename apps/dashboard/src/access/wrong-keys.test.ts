import { describe, expect, it } from 'vitest';
import { WrongKeys } from './wrong-keys.ts';

describe('wrong keys', () => {
  it('cost nothing at first, then a wait that doubles up to a minute', () => {
    const wrong = new WrongKeys();
    const waits: number[] = [];
    for (let tried = 0; tried < 14; tried += 1) {
      waits.push(wrong.waitMs('192.0.2.1', 0));
      wrong.note('192.0.2.1', 0);
    }
    expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(waits.slice(5)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60].map((seconds) => seconds * 1_000));
    expect(wrong.waitMs('192.0.2.1', 59_000)).toBe(1_000);
    expect(wrong.waitMs('192.0.2.1', 60_000)).toBe(0);
    expect(wrong.waitMs('192.0.2.2', 0)).toBe(0);
  });

  it('are forgotten after a while, and after the right one', () => {
    const wrong = new WrongKeys();
    for (let tried = 0; tried < 9; tried += 1) wrong.note('a', 0);
    wrong.note('a', 20 * 60_000);
    expect(wrong.waitMs('a', 20 * 60_000)).toBe(0);
    for (let tried = 0; tried < 9; tried += 1) wrong.note('a', 20 * 60_000);
    wrong.forget('a');
    expect(wrong.waitMs('a', 20 * 60_000)).toBe(0);
  });

  it('count for a network of IPv6, and for IPv4 however it is written', () => {
    const wrong = new WrongKeys();
    for (let host = 0; host < 6; host += 1) wrong.note(`2001:db8:0:7::${host}`, 0);
    expect(wrong.waitMs('2001:db8:0:7:1:2:3:4', 0)).toBe(2_000);
    expect(wrong.waitMs('2001:db8:0:8::1', 0)).toBe(0);
    for (let tried = 0; tried < 6; tried += 1) wrong.note('::ffff:192.0.2.1', 0);
    expect(wrong.waitMs('192.0.2.1', 0)).toBe(2_000);
    expect(wrong.waitMs('::1', 0)).toBe(0);
  });

  it('of however many addresses take little memory', () => {
    const wrong = new WrongKeys();
    for (let address = 0; address < 5_000; address += 1) wrong.note(`192.0.2.${address}`, 0);
    expect(wrong.size).toBe(1_000);
  });
});
