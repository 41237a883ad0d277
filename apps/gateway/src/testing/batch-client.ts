import { eventually } from '@embedfarm/testkit/eventually';
import OpenAI, { toFile } from 'openai';
import type { Batch } from 'openai/resources/batches';

/** A line of a batch's output or of its errors. */
export interface OutputLine {
  readonly custom_id: string;
  readonly response: {
    readonly status_code: number;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at whatever came
    readonly body: any;
  } | null;
  readonly error: { readonly code: string } | null;
}

const LIMIT_MS = 40_000;

/** OpenAI's own client as a program uses it that has a batch done. */
export class BatchClient {
  readonly openai: OpenAI;

  constructor(url: string, apiKey = 'none') {
    this.openai = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  }

  async upload(text: string): Promise<string> {
    const { id } = await this.openai.files.create({
      file: await toFile(Buffer.from(text), 'input.jsonl'),
      purpose: 'batch',
    });
    return id;
  }

  /** @param window longer or shorter than OpenAI's own. */
  async create(text: string, window = '24h'): Promise<Batch> {
    return await this.openai.batches.create({
      input_file_id: await this.upload(text),
      endpoint: '/v1/embeddings',
      completion_window: window as '24h',
    });
  }

  /** The batch, when it is in one of these states. */
  async until(id: string, ...states: Batch['status'][]): Promise<Batch> {
    return await eventually(
      async () => {
        const batch = await this.openai.batches.retrieve(id);
        return states.includes(batch.status) ? batch : undefined;
      },
      { what: `a batch that is ${states.join(' or ')}`, timeoutMs: LIMIT_MS },
    );
  }

  /** Nothing of a file that is not there. */
  async lines(fileId: string | null | undefined): Promise<OutputLine[]> {
    if (typeof fileId !== 'string') return [];
    const text = await (await this.openai.files.content(fileId)).text();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as OutputLine);
  }
}

/** A line of an input. */
export function batchLine(customId: string, body: object): string {
  return `${JSON.stringify({ custom_id: customId, method: 'POST', url: '/v1/embeddings', body })}\n`;
}
