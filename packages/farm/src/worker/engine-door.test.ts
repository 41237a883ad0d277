import { describe, expect, it } from 'vitest';
import { EngineDoor } from './engine-door.ts';

const never = new AbortController().signal;

/** Notes who enters, in order. */
function open() {
  const door = new EngineDoor();
  const entered: string[] = [];
  const ways = new Map<string, () => void>();
  const note = async (name: string, entry: Promise<() => void>): Promise<void> => {
    const leave = await entry;
    entered.push(name);
    ways.set(name, leave);
  };
  return {
    door,
    entered,
    come: (name: string, signal = never) => note(name, door.enter(signal)),
    comeAlone: (name: string, deaths = 0, signal = never) => note(name, door.enterAlone(deaths, signal)),
    /** All promises that can settle now have. */
    leave: async (name: string) => {
      ways.get(name)?.();
      await settle();
    },
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the door of the engine', () => {
  it('lets jobs share it', async () => {
    const { entered, come } = open();
    await Promise.all([come('a'), come('b')]);
    expect(entered).toEqual(['a', 'b']);
  });

  it('lets a suspect in when all are out, and nobody beside it, in the order they came', async () => {
    const { entered, come, comeAlone, leave } = open();
    await Promise.all([come('a'), come('b')]);
    const waiting = [comeAlone('suspect'), come('c'), come('d'), comeAlone('other'), come('e')];
    await settle();
    await leave('a');
    expect(entered).toEqual(['a', 'b']);
    await leave('b');
    expect(entered).toEqual(['a', 'b', 'suspect']);
    await leave('suspect');
    expect(entered).toEqual(['a', 'b', 'suspect', 'c', 'd']);
    await leave('c');
    await leave('d');
    await leave('other');
    await Promise.all(waiting);
    expect(entered).toEqual(['a', 'b', 'suspect', 'c', 'd', 'other', 'e']);
  });

  it('prefers the suspect that has killed less', async () => {
    const { entered, comeAlone, leave } = open();
    await comeAlone('first');
    const waiting = [comeAlone('killer', 3), comeAlone('bystander'), comeAlone('doubtful', 1)];
    await leave('first');
    await leave('bystander');
    await leave('doubtful');
    await Promise.all(waiting);
    expect(entered).toEqual(['first', 'bystander', 'doubtful', 'killer']);
  });

  it('is not held by one who gave up waiting', async () => {
    const { entered, come, comeAlone } = open();
    await come('a');
    const abort = new AbortController();
    const gone = comeAlone('gone', 0, abort.signal);
    const next = come('next');
    await settle();
    expect(entered).toEqual(['a']);
    abort.abort();
    await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
    await next;
    await expect(come('late', abort.signal)).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('sends away who waits and who comes when it is closed, and lets the others leave twice', async () => {
    const { door, come, comeAlone, leave } = open();
    await come('a');
    const waiting = comeAlone('waits');
    door.close();
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await expect(come('late')).rejects.toMatchObject({ code: 'cancelled' });
    await leave('a');
    await leave('a');
  });
});
