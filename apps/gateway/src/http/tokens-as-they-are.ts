/** Who sends tokens has put what goes before a text into them: the model's default prompt does not. */
export const TOKENS_AS_THEY_ARE = { tokens: true, prompt: '' } as const;
