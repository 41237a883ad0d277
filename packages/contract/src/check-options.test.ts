import { describe, expect, it } from 'vitest';
import { checkOptions } from './check-options.ts';
import type { ModelRegistration } from './device-report.ts';
import { encodeOptionsSchema } from './encode-request.ts';

const model: ModelRegistration = {
  model: 'm',
  fingerprint: 'f',
  dimensions: 8,
  maxSequenceLength: 512,
  pooling: 'mean',
  normalize: false,
  promptNames: ['query', 'passage'],
  dtype: 'float32',
  meaningful: true,
};

function check(options: object, changes: Partial<ModelRegistration> = {}): void {
  checkOptions(encodeOptionsSchema.parse(options), { ...model, ...changes });
}

describe('what a model cannot do', () => {
  it.each([
    ['more dimensions', { dimensions: 9 }, {}, 'dimensions is 9, the model "m" has 8'],
    ['int8 without length 1', { dtype: 'int8' }, {}, 'ask for normalize'],
    ['int8 not normalized', { dtype: 'int8', normalize: false }, { normalize: true }, 'ask for normalize'],
    [
      'a prompt that is not there',
      { promptName: 'q' },
      {},
      'promptName is "q", the prompts of the model "m" are: query, passage',
    ],
    ['a prompt of none', { promptName: 'q' }, { promptNames: [] }, 'are: none'],
    ['a prompt before tokens', { tokens: true, prompt: 'p' }, {}, 'ask for an empty one'],
    ['a named prompt before tokens', { tokens: true, promptName: 'query' }, {}, 'ask for an empty one'],
    ['the default before tokens', { tokens: true }, { defaultPromptName: 'query' }, 'ask for an empty one'],
  ])('is refused: %s', (_, options, changes, message) => {
    expect(() => check(options, changes)).toThrow(message);
  });

  it.each([
    ['all dimensions', { dimensions: 8 }, {}],
    ['int8 of vectors of length 1', { dtype: 'int8', normalize: true }, {}],
    ['a prompt by its name', { promptName: 'passage' }, {}],
    ['a prompt in place of a name', { promptName: 'q', prompt: 'p: ' }, {}],
    ['tokens without the default prompt', { tokens: true, prompt: '' }, { defaultPromptName: 'query' }],
  ])('is not %s', (_, options, changes) => {
    expect(() => check(options, changes)).not.toThrow();
  });
});
