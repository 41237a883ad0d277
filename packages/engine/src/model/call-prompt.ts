import type { SentencePrompts } from '@embedfarm/checkpoint/sentence-prompts';
import { FarmError, type EncodeOptions } from '@embedfarm/contract';
import type { ModelSpec } from './model-spec.ts';

/** What goes before every text of a call. */
export interface CallPrompt {
  /** Empty where nothing does. */
  readonly text: string;
  /** Whether its tokens are pooled; all tokens attend to them either way. */
  readonly isPooled: boolean;
}

/**
 * What a call asks for, in the order of sentence-transformers: the prompt itself, one of the model's by its name, the
 * model's default. An empty prompt is none.
 *
 * @throws FarmError `invalid_argument` for a prompt that is not to be pooled where the graph, or a cut at the start,
 *   leaves no way to tell its tokens.
 */
export function callPrompt(
  model: Pick<ModelSpec, 'prompts' | 'includePrompt' | 'output' | 'pooling'>,
  options: Pick<EncodeOptions, 'prompt' | 'promptName' | 'truncate'>,
): CallPrompt {
  const text = options.prompt ?? namedPrompt(model.prompts, options.promptName);
  const isPooled = model.includePrompt || text === '' || model.pooling === 'none';
  if (isPooled) return { text, isPooled };
  if (model.output !== 'tokens') {
    throw new FarmError(
      'invalid_argument',
      `the model leaves a prompt out of pooling (include_prompt is false), but its graph gives first tokens alone: ` +
        `ask for an empty prompt, or convert it with another pooling`,
    );
  }
  if (options.truncate === 'start') {
    throw new FarmError(
      'invalid_argument',
      `truncate start would cut the prompt, which the model leaves out of pooling (include_prompt is false)`,
    );
  }
  return { text, isPooled };
}

function namedPrompt({ prompts, defaultPromptName }: SentencePrompts, name = defaultPromptName): string {
  return name === undefined ? '' : (prompts[name] ?? '');
}
