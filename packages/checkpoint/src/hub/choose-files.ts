import { FarmError } from '@embedfarm/contract';

// What the farm reads beside weights. Weights of other frameworks, and what is for people, stay on the hub.
const DESCRIPTIONS: readonly string[] = [
  'config.json',
  'bert_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
];

/** Configuration and tokenizer: of the encoder, and of the modules behind it (`1_Pooling/config.json`). */
export function chooseDescriptions(paths: readonly string[]): string[] {
  const encoder = encoderFolder(paths);
  return paths.filter((path) => {
    const name = path.startsWith(encoder) ? path.slice(encoder.length) : path;
    return DESCRIPTIONS.includes(name) || DESCRIPTIONS.includes(path) || /^[^/]+\/config\.json$/.test(path);
  });
}

/** The config.json of the encoder, where there is one. */
export function chooseConfig(paths: readonly string[]): string | undefined {
  const encoder = encoderFolder(paths);
  return ['config.json', 'bert_config.json']
    .map((name) => encoder + name)
    .find((path) => paths.includes(path));
}

/**
 * One form of the weights. Ours first, since the packed graph is faster and exact: safetensors; then an ONNX
 * export; then Google's checkpoint, twice the size for its optimizer. Where our graph does not fit, the export
 * alone is left.
 *
 * @param misfit why our graph does not fit.
 * @throws FarmError `invalid_argument` saying what there is in their place.
 */
export function chooseWeights(paths: readonly string[], misfit?: FarmError): string[] {
  const encoder = encoderFolder(paths);
  const exported = exportFiles(paths);
  if (misfit !== undefined && exported.length === 0) {
    throw new FarmError('invalid_argument', `${misfit.detail}; and there is no onnx/model.onnx`, {
      cause: misfit,
    });
  }
  const forms = [...(misfit ? [] : [safetensors(paths, encoder)]), exported, checkpoint(paths, encoder)];
  const chosen = forms.find((form) => form.length > 0);
  if (chosen !== undefined) return chosen;
  const pickled = paths.filter((path) => /\.(bin|pt|pth|ckpt)$/.test(path));
  const only =
    pickled.length > 0
      ? `only pickled weights (${pickled.slice(0, 3).join(', ')}), which may run code when they are read: they must be saved as safetensors first`
      : 'no weights: no model.safetensors, no onnx/model.onnx, no bert_model.ckpt.index';
  throw new FarmError('invalid_argument', `there are ${only}`);
}

function safetensors(paths: readonly string[], folder: string): string[] {
  const single = `${folder}model.safetensors`;
  if (paths.includes(single)) return [single];
  const index = `${single}.index.json`;
  if (!paths.includes(index)) return [];
  return [index, ...matching(paths, folder, /^model-\d+-of-\d+\.safetensors$/)];
}

/** Never a quantized or optimized variant: `model_quint8_avx2.onnx` has other vectors. */
function exportFiles(paths: readonly string[]): string[] {
  for (const folder of ['', 'onnx/']) {
    const graph = matching(paths, folder, /^model\.onnx$/);
    if (graph.length > 0) return [...graph, ...matching(paths, folder, /^model\.onnx[._]data(_\d+)?$/)];
  }
  return [];
}

function checkpoint(paths: readonly string[], folder: string): string[] {
  const indexes = matching(paths, folder, CHECKPOINT_INDEX);
  const [index] = indexes.toSorted((a, b) => Number(!isGoogles(a)) - Number(!isGoogles(b)));
  if (index === undefined) return [];
  const prefix = index.slice(0, -'index'.length);
  return [index, ...paths.filter((path) => path.startsWith(prefix) && /\.data-\d+-of-\d+$/.test(path))];
}

function isGoogles(index: string): boolean {
  return index.endsWith('bert_model.ckpt.index');
}

const CHECKPOINT_INDEX = /^[\w.-]+\.ckpt(-\d+)?\.index$/;
const ENCODER_WEIGHTS = /^(model\.safetensors(\.index\.json)?|[\w.-]+\.ckpt(-\d+)?\.index)$/;

/** Older sentence-transformers keep the encoder in `0_BERT/` or `0_Transformer/`. */
function encoderFolder(paths: readonly string[]): string {
  if (matching(paths, '', ENCODER_WEIGHTS).length > 0) return '';
  const folders = paths.flatMap((path) => /^0_\w+\//.exec(path)?.[0] ?? []);
  return folders.find((folder) => matching(paths, folder, ENCODER_WEIGHTS).length > 0) ?? '';
}

function matching(paths: readonly string[], folder: string, name: RegExp): string[] {
  return paths.filter((path) => path.startsWith(folder) && name.test(path.slice(folder.length)));
}
