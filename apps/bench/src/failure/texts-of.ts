/** Texts that any process can make again: no two are equal, also not across tags. */
export interface TextsSpec {
  readonly tag: string;
  readonly texts: number;
  /** Least length of each. */
  readonly characters?: number;
}

export function textsOf({ tag, texts, characters = 0 }: TextsSpec): string[] {
  return Array.from({ length: texts }, (_, index) => `${tag} ${index} `.padEnd(characters, 'filler '));
}
