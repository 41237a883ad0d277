/** Parts of a block in the order of the forward pass, by the names of Hugging Face's BERT. */
const BLOCK_PARTS = [
  'attention.self.query',
  'attention.self.key',
  'attention.self.value',
  'attention.output.dense',
  'attention.output.LayerNorm',
  'intermediate.dense',
  'output.dense',
  'output.LayerNorm',
] as const;
type BlockPart = (typeof BLOCK_PARTS)[number];

// What stands outside of the blocks has one name in all families.
const OUTER_PARTS = [
  'embeddings.word_embeddings',
  'embeddings.position_embeddings',
  'embeddings.token_type_embeddings',
  'embeddings.LayerNorm',
  'encoder.relative_attention_bias',
  'pooler.dense',
];

/** How a family names its tensors: `<prefix>.<blocks>.<number>.<part>.weight`. */
export interface TensorNames {
  /** What Hugging Face's classes put in front where a head stands on the encoder. */
  readonly prefix: string;
  readonly blocks: string;
  readonly parts: Readonly<Record<BlockPart, string>>;
  /** Every name of the family, with any prefix and any block. */
  readonly pattern: RegExp;
}

/** @param parts those whose name is not BERT's. */
export function tensorNames(
  prefix: string,
  blocks = 'encoder.layer',
  parts: Partial<Record<BlockPart, string>> = {},
): TensorNames {
  const all = Object.fromEntries(BLOCK_PARTS.map((part) => [part, parts[part] ?? part])) as Record<
    BlockPart,
    string
  >;
  const block = `${escaped(blocks)}\\.(?<block>\\d{1,4})\\.(?<part>${anyOf(Object.values(all))})`;
  const pattern = new RegExp(
    `^(?<prefix>(?:.*\\.)?)(?:${block}|(?<outer>${anyOf(OUTER_PARTS)}))\\.(?<leaf>weight|bias|gamma|beta)$`,
  );
  return { prefix, blocks, parts: all, pattern };
}

/** The family's own name of a tensor, without a prefix; `name` is BERT's, as in `bertWeightShapes`. */
export function ownName({ blocks, parts }: TensorNames, name: string): string {
  const { block, part, leaf } = BERT_BLOCK.exec(name)?.groups ?? {};
  const own = BLOCK_PARTS.find((known) => known === part);
  return own ? `${blocks}.${block}.${parts[own]}.${leaf}` : name;
}

/** The other way: BERT's name of a tensor that a file of the family holds, and what stands before it. */
export function bertName(
  { parts, pattern }: TensorNames,
  stored: string,
): { readonly prefix: string; readonly name: string } | undefined {
  const { prefix, block, part, outer, leaf } = pattern.exec(stored)?.groups ?? {};
  if (prefix === undefined || leaf === undefined) return undefined;
  // gamma and beta: files from before 2019.
  const kind = leaf === 'weight' || leaf === 'gamma' ? 'weight' : 'bias';
  if (outer !== undefined) return { prefix, name: `${outer}.${kind}` };
  const own = BLOCK_PARTS.find((known) => parts[known] === part);
  return own && { prefix, name: `encoder.layer.${block}.${own}.${kind}` };
}

const BERT_BLOCK = /^encoder\.layer\.(?<block>\d+)\.(?<part>.+)\.(?<leaf>weight|bias)$/;

function anyOf(names: readonly string[]): string {
  return names.map(escaped).join('|');
}

function escaped(name: string): string {
  return name.replaceAll('.', '\\.');
}
