import { describe, expect, it } from 'vitest';
import { FrameWalk } from './frame-walk.ts';

const GREETING = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]),
  Buffer.from('NULL'.padEnd(20, '\0'), 'latin1'),
  Buffer.alloc(32),
]);
const READY = command('READY', Buffer.from('\x0bSocket-Type\0\0\0\x04PUSH', 'latin1'));
const LIMITS = { maxMessageBytes: 1_000 };

function frame(body: Buffer, { more = false, isLong = false, flags = 0 } = {}): Buffer {
  const long = isLong || body.length > 255;
  const head = Buffer.alloc(long ? 9 : 2);
  head[0] = flags | (more ? 1 : 0) | (long ? 2 : 0);
  if (long) head.writeBigUInt64BE(BigInt(body.length), 1);
  else head[1] = body.length;
  return Buffer.concat([head, body]);
}

function command(name: string, body = Buffer.alloc(0)): Buffer {
  return frame(Buffer.concat([Buffer.from([name.length]), Buffer.from(name), body]), { flags: 4 });
}

function message(...sizes: number[]): Buffer {
  return Buffer.concat(
    sizes.map((size, at) => frame(Buffer.alloc(size), { more: at < sizes.length - 1, isLong: at % 2 === 1 })),
  );
}

const walked = (bytes: Buffer, limits: object = {}): string | undefined =>
  new FrameWalk({ ...LIMITS, ...limits }).push(bytes);

describe('FrameWalk', () => {
  it('walks over whole conversations, wherever they are cut', () => {
    const bytes = Buffer.concat([
      GREETING,
      READY,
      message(36, 300, 1, 0),
      command('PING'),
      message(1, 2, 3, 4),
    ]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const walk = new FrameWalk(LIMITS);
      expect(walk.push(bytes.subarray(0, cut))).toBeUndefined();
      expect(walk.push(bytes.subarray(cut))).toBeUndefined();
      expect(walk.openBytes).toBe(0);
    }
    const walk = new FrameWalk(LIMITS);
    for (const byte of bytes) expect(walk.push(Buffer.from([byte]))).toBeUndefined();
    expect(walk.openBytes).toBe(0);
  });

  it('counts what it has seen of a message that does not end', () => {
    const walk = new FrameWalk(LIMITS);
    walk.push(Buffer.concat([GREETING, READY, frame(Buffer.alloc(100), { more: true })]));
    expect(walk.openBytes).toBe(100);
    walk.push(frame(Buffer.alloc(50)).subarray(0, 22));
    expect(walk.openBytes).toBe(120);
    walk.push(Buffer.alloc(30));
    expect(walk.openBytes).toBe(0);
  });

  it.each([
    [
      'HTTP',
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody curious\r\n\r\n'),
      'greeting',
    ],
    ['ZMTP 2', Buffer.concat([GREETING.subarray(0, 10), Buffer.from([1]), GREETING.subarray(11)]), 'ZMTP 1'],
    [
      'another mechanism',
      Buffer.from(GREETING.toString('latin1').replace('NULL', 'PLAIN').slice(0, 64), 'latin1'),
      'mechanism',
    ],
    [
      'frames without end',
      Buffer.concat([GREETING, READY, message(...Array.from({ length: 17 }, () => 1))]),
      '16 frames',
    ],
    ['a long message', Buffer.concat([GREETING, READY, message(500, 501)]), '1001 bytes'],
    [
      'a frame that claims 2^62 bytes',
      Buffer.concat([GREETING, READY, Buffer.from([2, 64, 0, 0, 0, 0, 0, 0, 0])]),
      'bytes',
    ],
    ['a long command', Buffer.concat([GREETING, command('READY', Buffer.alloc(9_000))]), 'a command of'],
    ['a command in parts', Buffer.concat([GREETING, frame(Buffer.from('\x05READY'), { flags: 5 })]), 'parts'],
    ['reserved flags', Buffer.concat([GREETING, READY, Buffer.from([8, 0])]), 'reserved'],
  ])('stops at %s', (_, bytes, fault) => {
    expect(walked(bytes)).toContain(fault);
  });

  it('counts subscriptions in both forms, and no heartbeats', () => {
    const subscribe = Buffer.concat([message(5), command('SUBSCRIBE', Buffer.from('me'))]);
    const hello = Buffer.concat([GREETING, READY]);
    const beats = Buffer.concat(Array.from({ length: 100 }, () => command('PING')));
    const bytes = Buffer.concat([hello, beats, subscribe, subscribe]);
    expect(walked(bytes, { maxSubscriptions: 5 })).toBeUndefined();
    expect(walked(Buffer.concat([bytes, subscribe]), { maxSubscriptions: 5 })).toBe(
      'more than 5 subscriptions',
    );
  });
});
