import { describe, expect, it } from 'vitest';
import { callPrompt } from './call-prompt.ts';

const model = {
  prompts: { prompts: { query: 'query: ', passage: 'passage: ' }, defaultPromptName: 'passage' },
  includePrompt: true,
  output: 'tokens',
  pooling: 'mean',
} as const;
const call = { truncate: 'end' } as const;

describe('the prompt of a call', () => {
  it.each([
    [{}, 'passage: '],
    [{ promptName: 'query' }, 'query: '],
    [{ prompt: 'mine: ' }, 'mine: '],
    [{ prompt: 'mine: ', promptName: 'query' }, 'mine: '],
    [{ prompt: '', promptName: 'query' }, ''],
  ])('that asks for %j is %j', (options, text) => {
    expect(callPrompt(model, { ...call, ...options })).toEqual({ text, isPooled: true });
  });

  it('is none where the model has none', () => {
    const none = { ...model, prompts: { prompts: {}, defaultPromptName: undefined } };
    expect(callPrompt(none, call).text).toBe('');
  });

  it('is not pooled where the model says so, unless there is nothing to leave out', () => {
    const apart = { ...model, includePrompt: false };
    expect(callPrompt(apart, call)).toEqual({ text: 'passage: ', isPooled: false });
    expect(callPrompt(apart, { ...call, prompt: '' }).isPooled).toBe(true);
    expect(callPrompt({ ...apart, pooling: 'none' }, call).isPooled).toBe(true);
  });

  it('is refused where it cannot be left out of pooling', () => {
    const apart = { ...model, includePrompt: false };
    expect(() => callPrompt(apart, { truncate: 'start' })).toThrow('truncate start would cut the prompt');
    expect(() => callPrompt({ ...apart, output: 'first' }, call)).toThrow(
      'its graph gives first tokens alone',
    );
    expect(callPrompt({ ...apart, output: 'first' }, { ...call, prompt: '' }).text).toBe('');
  });
});
