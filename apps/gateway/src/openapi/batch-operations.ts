import { batchRequestSchema } from '../openai-batch/batch-request.ts';
import { pageQuerySchema } from '../openai-batch/page-of.ts';
import { openaiErrorSchema } from './answers.ts';
import {
  batchAnswerSchema,
  batchesAnswerSchema,
  fileAnswerSchema,
  fileDeletedSchema,
  filesAnswerSchema,
  fileUploadSchema,
} from './batch-answers.ts';
import type { Operation } from './operations.ts';

const JSON_TYPE = 'application/json';
const common = { tag: 'OpenAI', error: openaiErrorSchema } as const;

/** Files and batches. */
export const BATCH_OPERATIONS: readonly Operation[] = [
  {
    ...common,
    method: 'post',
    path: '/v1/files',
    says: 'Takes the input of a batch.',
    body: fileUploadSchema,
    bodyType: 'multipart/form-data',
    answers: { [JSON_TYPE]: fileAnswerSchema },
  },
  {
    ...common,
    method: 'get',
    path: '/v1/files',
    says: 'The files that are kept.',
    query: pageQuerySchema,
    answers: { [JSON_TYPE]: filesAnswerSchema },
  },
  {
    ...common,
    method: 'get',
    path: '/v1/files/{id}',
    says: 'One of them.',
    answers: { [JSON_TYPE]: fileAnswerSchema },
  },
  {
    ...common,
    method: 'get',
    path: '/v1/files/{id}/content',
    says: 'Its bytes; those of an output are made of the vectors that the farm has stored.',
    answers: { 'application/octet-stream': 'The file.' },
  },
  {
    ...common,
    method: 'delete',
    path: '/v1/files/{id}',
    says: 'Lets go of it.',
    answers: { [JSON_TYPE]: fileDeletedSchema },
  },
  {
    ...common,
    method: 'post',
    path: '/v1/batches',
    says: 'Has the calls of a file done.',
    body: batchRequestSchema,
    answers: { [JSON_TYPE]: batchAnswerSchema },
  },
  {
    ...common,
    method: 'get',
    path: '/v1/batches',
    says: 'The batches that are known.',
    query: pageQuerySchema,
    answers: { [JSON_TYPE]: batchesAnswerSchema },
  },
  {
    ...common,
    method: 'get',
    path: '/v1/batches/{id}',
    says: 'How far one is.',
    answers: { [JSON_TYPE]: batchAnswerSchema },
  },
  {
    ...common,
    method: 'post',
    path: '/v1/batches/{id}/cancel',
    says: 'Takes it back; what is done is kept.',
    answers: { [JSON_TYPE]: batchAnswerSchema },
  },
];
