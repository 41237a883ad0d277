import { connect, type Socket } from 'node:net';

/** Where the random numbers of a case come from. */
export type Random = () => number;

const IDENTITIES = [
  'a',
  '__proto__',
  'constructor',
  '#',
  '@',
  'i'.repeat(255),
  'i'.repeat(256),
  '',
  '\0',
  'ÿþ',
];
const NUMBERS = [
  '1',
  '0',
  '-1',
  '1.5',
  '1e9',
  '999999999999999',
  '9'.repeat(400),
  'x',
  '',
  ' 1',
  '0x1',
  'NaN',
  '\u0661',
];
const COMMANDS = ['SHOW_CONFIG', 'SHOW_STATUS', 'TERMINATION', 'show_config', 'SHOW_CONFIG\0', 'SHOW_', ''];
const TEXTS: unknown[] = [
  'a text',
  '',
  ' ||| ',
  '|||',
  'a ||| b ||| c',
  '\u0000\ud800',
  'x'.repeat(5_000),
  ['token', '|||'],
  ['|||', '|||'],
  [],
  [[]],
  [['a'], ['b']],
  null,
  1,
  1e308,
  true,
  {},
  { length: 3 },
  ['a', 1],
  [null],
];

/** A message that is malformed in one way or several. */
export function hostileMessage(random: Random): Buffer[] {
  const frames = [
    Buffer.from(pick(IDENTITIES, random), 'latin1'),
    hostileBody(random),
    Buffer.from(pick(NUMBERS, random)),
    Buffer.from(pick(NUMBERS, random)),
  ];
  const roll = random();
  if (roll < 0.1) return frames.slice(0, 1 + Math.floor(random() * 3));
  if (roll < 0.2)
    return [...frames, ...Array.from({ length: Math.floor(random() * 12) }, () => junk(random))];
  if (roll < 0.3) return frames.map(() => junk(random));
  return frames;
}

function hostileBody(random: Random): Buffer {
  const roll = random();
  if (roll < 0.15) return junk(random);
  if (roll < 0.25) return Buffer.from(pick(COMMANDS, random));
  if (roll < 0.3)
    return Buffer.from(pick(['[', '{', '[[', '"'], random).repeat(1 + Math.floor(random() * 20_000)));
  const texts = Array.from({ length: Math.floor(random() * 8) }, () => pick(TEXTS, random));
  const body = Buffer.from(JSON.stringify(random() < 0.1 ? (texts[0] ?? null) : texts));
  if (random() < 0.4) return body;
  // A byte or a part of it is lost or changed.
  const at = Math.floor(random() * body.length);
  if (random() < 0.5) return body.subarray(0, at);
  body[at] = Math.floor(random() * 256);
  return body;
}

function junk(random: Random): Buffer {
  const bytes = Buffer.alloc(Math.floor(random() ** 4 * 60_000));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Math.floor(random() * 256);
  return bytes;
}

/** A connection that speaks something like ZMTP, and stays as it is: half open, half closed, or in the middle. */
export function hostileConnection(port: number, random: Random): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  const greeting = Buffer.alloc(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
  greeting.write('NULL', 12);
  const roll = random();
  if (roll < 0.2) socket.write(junk(random));
  else if (roll < 0.3) socket.write(greeting.subarray(0, Math.floor(random() * 64)));
  else {
    socket.write(greeting);
    if (roll < 0.8) socket.write(Buffer.from('\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH', 'latin1'));
    for (let frame = Math.floor(random() * 20); frame > 0; frame -= 1) {
      const flags = Math.floor(random() * (random() < 0.9 ? 8 : 256));
      socket.write(Buffer.from([flags, Math.floor(random() * 256), ...junk(random).subarray(0, 300)]));
    }
  }
  if (random() < 0.3) socket.end();
  if (random() < 0.2) socket.destroy();
  return socket;
}

export function pick<Item>(items: readonly Item[], random: Random): Item {
  return items[Math.floor(random() * items.length)] as Item;
}
