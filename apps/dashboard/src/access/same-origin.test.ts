import { expect, it } from 'vitest';
import { isSameOrigin } from './same-origin.ts';

const host = 'farm.example:3000';

it.each([
  [{ host }, true],
  [{ host, 'sec-fetch-site': 'same-origin' }, true],
  [{ host, origin: 'http://farm.example:3000' }, true],
  // Behind a proxy that changes the host the browser's word counts.
  [{ host, origin: 'https://farm.example', 'sec-fetch-site': 'same-origin' }, true],
  [{ host, 'sec-fetch-site': 'cross-site' }, false],
  [{ host, 'sec-fetch-site': 'same-site' }, false],
  [{ host, 'sec-fetch-site': 'none' }, false],
  [{ host, origin: 'http://farm.example' }, false],
  [{ host, origin: 'http://evil.example:3000' }, false],
  [{ host, origin: 'null' }, false],
  [{ host, origin: '' }, false],
  [{ host, origin: host }, false],
  [{ origin: 'http://farm.example:3000' }, false],
])('%j: %s', (headers, expected) => {
  expect(isSameOrigin(headers)).toBe(expected);
});
