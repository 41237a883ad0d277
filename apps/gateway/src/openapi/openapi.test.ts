import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { TestGateway } from '../testing/test-gateway.ts';
import { batchLine, BatchClient } from '../testing/batch-client.ts';
import * as answers from './answers.ts';
import { batchAnswerSchema, batchesAnswerSchema, filesAnswerSchema } from './batch-answers.ts';
import { OPERATIONS } from './operations.ts';

let test: TestGateway;
beforeAll(async () => {
  test = await TestGateway.open();
  await test.openHashWorker();
  await test.openGateway();
  await test.ready();
});
afterAll(() => test.close());

/** Every reference in a document. */
function referencesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '$ref' ? [String(inner)] : referencesOf(inner),
  );
}

describe('the OpenAPI document', () => {
  it('holds what it refers to, and the fields that calls are checked for', async () => {
    const { body, headers } = await test.ask('/openapi.json');
    expect(headers.get('Content-Type')).toContain('application/json');
    expect(body.openapi).toBe('3.1.0');
    const names = Object.keys(body.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect(new Set(referencesOf(body))).toEqual(new Set(names));
    const { EncodeBody, EmbeddingsRequest } = body.components.schemas;
    expect(EncodeBody.required).toEqual(['texts']);
    expect(EncodeBody.properties.dtype.enum).toEqual(['float32', 'float16', 'int8', 'binary']);
    expect(EncodeBody.additionalProperties).toBe(false);
    expect(EmbeddingsRequest.properties.encoding_format).toMatchObject({
      default: 'float',
      enum: ['float', 'base64'],
    });
    const [query] = body.paths['/requests/{id}/result'].get.parameters.slice(1);
    expect(query).toMatchObject({ name: 'format', in: 'query', schema: { default: 'jsonl' } });
  });

  it('names every path that there is, and none that is not', async () => {
    for (const { method, path } of OPERATIONS) {
      const { status, body } = await test.ask(path.replace('{id}', '0-none-1'), {
        method: method.toUpperCase(),
      });
      expect(JSON.stringify(body), `${method} ${path}`).not.toContain('nothing at');
      expect(status, `${method} ${path}`).not.toBe(405);
    }
  });

  it.each<[string, object | undefined, z.ZodType]>([
    ['/encode', { texts: ['a', 'b'], returnTokens: true }, answers.encodeAnswerSchema],
    ['/encode', { id: 1, texts: ['a'] }, answers.bertAnswerSchema],
    ['/encode', { texts: [7] }, answers.errorAnswerSchema],
    ['/nothing', undefined, answers.errorAnswerSchema],
    ['/requests', { texts: ['a'] }, answers.requestAnswerSchema],
    ['/v1/embeddings', { model: 'memory', input: 'a' }, answers.embeddingsAnswerSchema],
    ['/v1/embeddings', { model: 'memory' }, answers.openaiErrorSchema],
    ['/v1/models', undefined, answers.modelsAnswerSchema],
    ['/v1/models/memory', undefined, answers.modelAnswerSchema],
    ['/embed', { inputs: 'a' }, answers.vectorsAnswerSchema],
    ['/tokenize', { inputs: 'a' }, answers.tokensAnswerSchema],
    ['/embed_all', { inputs: 'a' }, answers.teiErrorSchema],
  ])('tells what %s answers with: %#', async (path, body, schema) => {
    const answer = await test.ask(path, body === undefined ? {} : { body });
    expect(schema.safeParse(answer.body).error).toBeUndefined();
  });

  it('tells what files and batches are', async () => {
    const client = new BatchClient(test.url);
    const { id } = await client.create(batchLine('a', { model: 'memory', input: 'a' }));
    await client.until(id, 'completed');
    for (const [path, schema] of [
      [`/v1/batches/${id}`, batchAnswerSchema],
      ['/v1/batches', batchesAnswerSchema],
      ['/v1/files', filesAnswerSchema],
    ] as const) {
      expect(schema.safeParse((await test.ask(path)).body).error).toBeUndefined();
    }
  });

  it('tells what lines of a result are', async () => {
    const { body } = await test.ask('/requests', { body: { texts: ['a', '\u0000'] } });
    const lines = await test.ask(`/requests/${body.id}/result`);
    for (const line of lines.body.trimEnd().split('\n')) {
      expect(answers.resultLineSchema.safeParse(JSON.parse(line)).error).toBeUndefined();
    }
  });
});

describe('the page of it', () => {
  it('is one file that allows its own style and nothing else', async () => {
    const { status, headers, body } = await test.ask('/docs');
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toContain('text/html');
    expect(headers.get('Content-Security-Policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    for (const { path } of OPERATIONS) expect(body).toContain(` ${path}</h3>`);
    expect(body).toContain('<code>texts</code> *');
    expect(body).not.toContain('<script');
    expect(body).not.toContain('undefined');
  });
});
