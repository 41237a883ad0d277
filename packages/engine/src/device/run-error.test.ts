import { FarmError } from '@embedfarm/contract';
import { expect, it } from 'vitest';
import { runError } from './run-error.ts';

it.each([
  ['std::bad_alloc', 'out_of_memory'],
  ['Failed to allocate memory for requested buffer of size 4294967296', 'out_of_memory'],
  ['Non-zero status code returned while running Gather node', 'internal'],
])('takes "%s" for %s', (message, code) => {
  const error = runError('cpu/0', new Error(message));
  expect(error).toMatchObject({ code, detail: `cpu/0: ${message}` });
});

it('leaves an error of the farm as it is', () => {
  const error = new FarmError('invalid_argument', 'token id -1');
  expect(runError('cpu/0', error)).toBe(error);
});
