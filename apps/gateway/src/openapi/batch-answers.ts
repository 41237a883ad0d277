import { z } from 'zod';

export const fileUploadSchema = z
  .strictObject({
    file: z.string().meta({ format: 'binary', description: 'Lines of calls, as JSON.' }),
    purpose: z.literal('batch'),
  })
  .meta({ title: 'FileUpload' });

const fileSchema = z.strictObject({
  id: z.string(),
  object: z.literal('file'),
  bytes: z.int(),
  created_at: z.int(),
  expires_at: z.int(),
  filename: z.string(),
  purpose: z.string(),
  status: z.literal('processed'),
  status_details: z.null(),
});
export const fileAnswerSchema = fileSchema.meta({ title: 'File' });
export const fileDeletedSchema = z
  .strictObject({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })
  .meta({ title: 'FileDeleted' });

const countsSchema = z.strictObject({ total: z.int(), completed: z.int(), failed: z.int() });
const faultSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  line: z.int().nullable(),
  param: z.string().nullable(),
});
const secondsSchema = z.int().nullable();

const batchSchema = z.strictObject({
  id: z.string(),
  object: z.literal('batch'),
  endpoint: z.literal('/v1/embeddings'),
  model: z.string().optional(),
  errors: z.strictObject({ object: z.literal('list'), data: z.array(faultSchema) }).nullable(),
  input_file_id: z.string(),
  completion_window: z.string(),
  status: z.enum([
    'validating',
    'failed',
    'in_progress',
    'finalizing',
    'completed',
    'expired',
    'cancelling',
    'cancelled',
  ]),
  output_file_id: z.string().nullable(),
  error_file_id: z.string().nullable(),
  created_at: z.int(),
  in_progress_at: secondsSchema,
  expires_at: z.int(),
  finalizing_at: secondsSchema,
  completed_at: secondsSchema,
  failed_at: secondsSchema,
  expired_at: secondsSchema,
  cancelling_at: secondsSchema,
  cancelled_at: secondsSchema,
  request_counts: countsSchema,
  usage: z
    .strictObject({
      input_tokens: z.int(),
      input_tokens_details: z.strictObject({ cached_tokens: z.int() }),
      output_tokens: z.int(),
      output_tokens_details: z.strictObject({ reasoning_tokens: z.int() }),
      total_tokens: z.int(),
    })
    .optional(),
  metadata: z.record(z.string(), z.string()).nullable(),
});
export const batchAnswerSchema = batchSchema.meta({ title: 'Batch' });

const page = {
  object: z.literal('list'),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
};
export const filesAnswerSchema = z
  .strictObject({ ...page, data: z.array(fileSchema) })
  .meta({ title: 'Files' });
export const batchesAnswerSchema = z
  .strictObject({ ...page, data: z.array(batchSchema) })
  .meta({ title: 'Batches' });
