import { describe, expect, it } from 'vitest';
import { readRequest } from './read-request.ts';

function frames(...parts: (string | Buffer)[]): Buffer[] {
  return parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part));
}

describe('readRequest', () => {
  it('reads identity, body, request id and rows', () => {
    expect(readRequest(frames('me', '["a"]', '7', '1'))).toEqual({
      kind: 'encode',
      client: 'me',
      identity: Buffer.from('me'),
      requestId: '7',
      rows: 1,
      body: Buffer.from('["a"]'),
    });
  });

  it.each([
    ['SHOW_CONFIG', 'config'],
    ['SHOW_STATUS', 'status'],
    ['TERMINATION', 'terminate'],
    ['SHOW_CONFIG ', 'encode'],
    ['show_config', 'encode'],
    ['constructor', 'encode'],
    ['', 'encode'],
  ])('takes the body %s for %s', (body, kind) => {
    expect(readRequest(frames('me', body, '1', '0'))).toMatchObject({ kind });
  });

  it('keeps an identity of any bytes', () => {
    const identity = Buffer.from([0, 255, 128, 35, 64]);
    expect(readRequest(frames(identity, '[]', '1', '0'))).toMatchObject({
      identity,
      client: '\0\u{ff}\u{80}#@',
    });
  });

  it.each([
    ['no frames', [], '0 frames'],
    ['three frames', ['me', '[]', '1'], '3 frames'],
    ['five frames', ['me', '[]', '1', '0', ''], '5 frames'],
    ['an empty identity', ['', '[]', '1', '0'], 'identity of 0 bytes'],
    ['an identity of 256 bytes', ['i'.repeat(256), '[]', '1', '0'], 'identity of 256 bytes'],
    ['an id that is no number', ['me', '[]', 'x', '0'], 'frame 3'],
    ['a negative id', ['me', '[]', '-1', '0'], 'frame 3'],
    ['an id of 16 digits', ['me', '[]', '1'.repeat(16), '0'], 'frame 3'],
    ['an empty id', ['me', '[]', '', '0'], 'frame 3'],
    ['rows with a point', ['me', '[]', '1', '1.5'], 'frame 4'],
    ['rows in Arabic digits', ['me', '[]', '1', '١'], 'frame 4'],
    ['rows with a line feed', ['me', '[]', '1', '1\n'], 'frame 4'],
  ])('says what is wrong with %s', (_, parts, fault) => {
    expect(readRequest(frames(...parts))).toContain(fault);
  });
});
