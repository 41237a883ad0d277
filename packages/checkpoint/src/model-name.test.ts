import { expect, it } from 'vitest';
import { modelName } from './model-name.ts';

it.each([
  ['embedded', 'embedded'],
  ['models/all-MiniLM-L6-v2/', 'all-MiniLM-L6-v2'],
  ['/srv/models/tiny', 'tiny'],
  ['sentence-transformers/all-MiniLM-L6-v2', 'all-MiniLM-L6-v2'],
  ['sentence-transformers/all-MiniLM-L6-v2@refs/pr/21', 'all-MiniLM-L6-v2'],
])('%s is served as %s', (model, name) => {
  expect(modelName(model)).toBe(name);
});
