import type { z } from 'zod';
import { bertRequestSchema } from '../bert-http/bert-door.ts';
import { encodeBodySchema, submitBodySchema } from '../native/encode-body.ts';
import { resultQuerySchema } from '../native/send-result.ts';
import { embeddingsRequestSchema } from '../openai/embeddings-request.ts';
import { embedAllRequestSchema, embedRequestSchema, tokenizeRequestSchema } from '../tei/tei-requests.ts';
import * as answers from './answers.ts';
import { BATCH_OPERATIONS } from './batch-operations.ts';

/** One thing that the gateway does, as its document tells it. */
export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{id}` for what is filled in. */
  readonly path: string;
  readonly tag: 'Embedfarm' | 'OpenAI' | 'text-embeddings-inference' | 'bert-as-service' | 'Health';
  readonly says: string;
  readonly body?: z.ZodType | readonly z.ZodType[];
  /** Of a body that is no JSON. */
  readonly bodyType?: 'multipart/form-data';
  readonly query?: z.ZodObject;
  /** What it answers with, by the type of its content; a string says what is no JSON. */
  readonly answers: Readonly<Record<string, z.ZodType | readonly z.ZodType[] | string>>;
  readonly status?: 202;
  readonly error?: z.ZodType;
}

const JSON_TYPE = 'application/json';
const { errorAnswerSchema: own, openaiErrorSchema: openai, teiErrorSchema: tei } = answers;

export const OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/encode',
    tag: 'Embedfarm',
    says: "The vectors of texts. With an `id` in the body it is bert-as-service's.",
    body: [encodeBodySchema, bertRequestSchema],
    answers: {
      [JSON_TYPE]: [answers.encodeAnswerSchema, answers.bertAnswerSchema],
      'application/octet-stream':
        'All vectors one after the other, little-endian; X-Embedfarm-Shape and X-Embedfarm-Dtype say how.',
    },
    error: own,
  },
  {
    method: 'post',
    path: '/requests',
    tag: 'Embedfarm',
    says: 'Hands texts over, and answers when all of them are in Redis.',
    body: submitBodySchema,
    answers: { [JSON_TYPE]: answers.requestAnswerSchema },
    status: 202,
    error: own,
  },
  {
    method: 'get',
    path: '/requests/{id}',
    tag: 'Embedfarm',
    says: 'How far a submitted request is.',
    answers: { [JSON_TYPE]: answers.requestAnswerSchema },
    error: own,
  },
  {
    method: 'get',
    path: '/requests/{id}/result',
    tag: 'Embedfarm',
    says: 'Its vectors: lines, also while it runs; or a .npy at its end, of which ranges of bytes may be asked for.',
    query: resultQuerySchema,
    answers: {
      'application/x-ndjson': answers.resultLineSchema,
      'application/octet-stream': 'A NumPy array.',
    },
    error: own,
  },
  {
    method: 'get',
    path: '/requests/{id}/events',
    tag: 'Embedfarm',
    says: 'How far it is, as server-sent events `progress` and `end`; the data of each are the request.',
    answers: { 'text/event-stream': 'Events, until the end of the request.' },
    error: own,
  },
  {
    method: 'delete',
    path: '/requests/{id}',
    tag: 'Embedfarm',
    says: 'Takes it back: what waits is removed, what runs is aborted, what is done is kept.',
    answers: { [JSON_TYPE]: answers.requestAnswerSchema },
    error: own,
  },
  {
    method: 'post',
    path: '/v1/embeddings',
    tag: 'OpenAI',
    says: 'The vectors of texts, or of lists of token ids.',
    body: embeddingsRequestSchema,
    answers: { [JSON_TYPE]: answers.embeddingsAnswerSchema },
    error: openai,
  },
  {
    method: 'get',
    path: '/v1/models',
    tag: 'OpenAI',
    says: 'The models of the farm.',
    answers: { [JSON_TYPE]: answers.modelsAnswerSchema },
    error: openai,
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    tag: 'OpenAI',
    says: 'One of them, by its name.',
    answers: { [JSON_TYPE]: answers.modelAnswerSchema },
    error: openai,
  },
  ...BATCH_OPERATIONS,
  {
    method: 'post',
    path: '/embed',
    tag: 'text-embeddings-inference',
    says: 'A vector a text.',
    body: embedRequestSchema,
    answers: { [JSON_TYPE]: answers.vectorsAnswerSchema },
    error: tei,
  },
  {
    method: 'post',
    path: '/embed_all',
    tag: 'text-embeddings-inference',
    says: 'A vector a token, of a model that does not pool.',
    body: embedAllRequestSchema,
    answers: { [JSON_TYPE]: answers.tokenVectorsAnswerSchema },
    error: tei,
  },
  {
    method: 'post',
    path: '/tokenize',
    tag: 'text-embeddings-inference',
    says: 'The tokens of texts as the vocabulary writes them.',
    body: tokenizeRequestSchema,
    answers: { [JSON_TYPE]: answers.tokensAnswerSchema },
    error: tei,
  },
  {
    method: 'get',
    path: '/info',
    tag: 'text-embeddings-inference',
    says: 'What the model is.',
    answers: { [JSON_TYPE]: "The model in TEI's words." },
    error: tei,
  },
  {
    method: 'get',
    path: '/health',
    tag: 'text-embeddings-inference',
    says: '200 where a worker serves the model.',
    answers: {},
    error: tei,
  },
  {
    method: 'get',
    path: '/status/server',
    tag: 'bert-as-service',
    says: 'What the farm knows of what bert-as-service tells of itself.',
    answers: { [JSON_TYPE]: 'Its fields, under its names.' },
  },
  {
    method: 'get',
    path: '/status/client',
    tag: 'bert-as-service',
    says: 'The gateway as a client of the farm.',
    answers: { [JSON_TYPE]: 'Its fields, under its names.' },
  },
  { method: 'get', path: '/healthz', tag: 'Health', says: '200 while the process turns.', answers: {} },
  {
    method: 'get',
    path: '/readyz',
    tag: 'Health',
    says: '200 where a text would be encoded now, else 503 with the reason.',
    answers: {},
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'Health',
    says: "Metrics in Prometheus' text format.",
    answers: {},
  },
];
