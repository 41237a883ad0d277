import { FarmError } from '@embedfarm/contract';
import { describe, expect, it } from 'vitest';
import { chooseConfig, chooseDescriptions, chooseWeights } from './choose-files.ts';

// What a model of sentence-transformers may have beside its weights.
const KEPT = [
  '.gitattributes',
  '1_Pooling/config.json',
  'README.md',
  'config.json',
  'config_sentence_transformers.json',
  'data_config.json',
  'model.safetensors',
  'modules.json',
  'onnx/model.onnx',
  'onnx/model_O4.onnx',
  'onnx/model_qint8_avx512.onnx',
  'openvino/openvino_model.bin',
  'openvino/openvino_model.xml',
  'pytorch_model.bin',
  'rust_model.ot',
  'sentence_bert_config.json',
  'special_tokens_map.json',
  'tf_model.h5',
  'tokenizer.json',
  'tokenizer_config.json',
  'train_script.py',
  'vocab.txt',
];

describe('Of the files of a model', () => {
  it('those are taken that the farm reads, and one form of the weights', () => {
    expect(chooseDescriptions(KEPT)).toEqual([
      '1_Pooling/config.json',
      'config.json',
      'config_sentence_transformers.json',
      'modules.json',
      'sentence_bert_config.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'vocab.txt',
    ]);
    expect(chooseWeights(KEPT)).toEqual(['model.safetensors']);
    expect(chooseConfig(KEPT)).toBe('config.json');
  });

  it.each<[string, string[], string[]]>([
    [
      'all shards with their index',
      [
        'model.safetensors.index.json',
        'model-00002-of-00002.safetensors',
        'model-00001-of-00002.safetensors',
        'model.fp16-00001-of-00001.safetensors',
        'onnx/model.onnx',
      ],
      [
        'model.safetensors.index.json',
        'model-00002-of-00002.safetensors',
        'model-00001-of-00002.safetensors',
      ],
    ],
    [
      'an export with its data, where there is no safetensors',
      [
        'onnx/model.onnx',
        'onnx/model.onnx_data',
        'onnx/model_q4.onnx',
        'onnx/model_fp16.onnx_data',
        'pytorch_model.bin',
      ],
      ['onnx/model.onnx', 'onnx/model.onnx_data'],
    ],
    ['an export at the root', ['model.onnx', 'model.onnx.data'], ['model.onnx', 'model.onnx.data']],
    [
      "Google's checkpoint, where there is nothing else",
      [
        'bert_config.json',
        'adam.ckpt-7.index',
        'bert_model.ckpt.data-00000-of-00001',
        'bert_model.ckpt.index',
        'bert_model.ckpt.meta',
        'pytorch_model.bin',
      ],
      ['bert_model.ckpt.index', 'bert_model.ckpt.data-00000-of-00001'],
    ],
    [
      'the encoder in its own folder',
      [
        'modules.json',
        '0_BERT/config.json',
        '0_BERT/model.safetensors',
        '0_BERT/vocab.txt',
        '1_Pooling/config.json',
      ],
      ['0_BERT/model.safetensors'],
    ],
  ])('weights are %s', (_, paths, weights) => {
    expect(chooseWeights(paths)).toEqual(weights);
  });

  it("descriptions are the encoder's too where it has its own folder", () => {
    const paths = [
      'modules.json',
      '0_BERT/config.json',
      '0_BERT/model.safetensors',
      '0_BERT/vocab.txt',
      'other/vocab.txt',
    ];
    expect(chooseDescriptions(paths)).toEqual(['modules.json', '0_BERT/config.json', '0_BERT/vocab.txt']);
    expect(chooseConfig(paths)).toBe('0_BERT/config.json');
  });

  it('the export is taken where our graph does not fit, and without one it is said why', () => {
    const misfit = new FarmError('invalid_argument', 'not the config of a BERT model: model_type');
    expect(chooseWeights(KEPT, misfit)).toEqual(['onnx/model.onnx']);
    expect(() => chooseWeights(['model.safetensors'], misfit)).toThrow(
      'not the config of a BERT model: model_type; and there is no onnx/model.onnx',
    );
  });

  it.each([
    [['pytorch_model.bin', 'config.json', 'tf_model.h5'], 'only pickled weights (pytorch_model.bin)'],
    [['model.pt'], 'must be saved as safetensors first'],
    [['README.md', 'onnx/model_q4.onnx', 'model.fp16.safetensors'], 'no weights: no model.safetensors'],
    [[], 'no weights'],
  ])('%j are refused: %s', (paths, fault) => {
    expect(() => chooseWeights(paths)).toThrow(fault);
  });
});
