import { describe, expect, it } from 'vitest';
import { parseHubId } from './hub-id.ts';

describe('The id of a model on a hub', () => {
  it.each([
    ['sentence-transformers/all-MiniLM-L6-v2', 'all-MiniLM-L6-v2', 'main'],
    ['BAAI/bge-small-en-v1.5@v1', 'bge-small-en-v1.5', 'v1'],
    ['_me/x@refs/pr/12', 'x', 'refs/pr/12'],
    ['a/b@0123456789abcdef0123456789abcdef01234567', 'b', '0123456789abcdef0123456789abcdef01234567'],
  ])('is %s', (text, name, revision) => {
    expect(parseHubId(text)).toEqual({ model: text.split('@')[0], name, revision });
  });

  it.each([
    'embedded',
    'bert-base-uncased',
    './models/tiny',
    '../models/tiny',
    '/models/tiny',
    'models/tiny/',
    'a/b/c',
    'a//b',
    'a/..',
    'a/b..c',
    'a/b--c',
    'a/b.git',
    'a/-b',
    'a/b.',
    'a/b@',
    'a/b@../main',
    'a/b@main/',
    'a/b@x@y',
    'a\\b/c',
    'a/b\0',
    'a/b c',
    'a/é',
    `a/${'b'.repeat(97)}`,
    '',
  ])('is not %j', (text) => {
    expect(parseHubId(text)).toBeUndefined();
  });
});
