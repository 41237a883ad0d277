import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { FarmError } from '@embedfarm/contract';
import type { FileUpload } from '@embedfarm/farm/files';

const MAX_FIELDS = 10;
const MAX_FIELD_BYTES = 1_000;

/** What came beside the bytes. */
export interface UploadForm {
  readonly filename: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A file over its limit; the rest of it is not read. */
export class UploadTooLarge extends Error {
  readonly status = 413;
  readonly type = 'entity.too.large';
  readonly limit: number;

  constructor(limit: number) {
    super(`the file is too large, limit is ${limit} bytes`);
    this.limit = limit;
  }
}

/**
 * A multipart form with one file, whose bytes go where they are kept no faster than they are taken there.
 *
 * @throws FarmError `invalid_argument` for a form that is none; UploadTooLarge; what keeping them throws.
 */
export async function readUpload(
  request: IncomingMessage,
  upload: FileUpload,
  { maxFileBytes }: { maxFileBytes: number },
): Promise<UploadForm> {
  const parser = openParser(request);
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  let filename: string | undefined;
  let storing: Promise<void> | undefined;
  let fail: (fault: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  failed.catch(() => undefined);
  parser.on('field', (name: string, value: string) => {
    fields[name] = value;
  });
  parser.on('file', (name: string, stream: BusboyFileStream, givenName: string | undefined) => {
    // Who iterates hears of it; without a listener it would end the process.
    stream.on('error', () => undefined);
    if (name !== 'file' || storing) {
      stream.resume();
      fail(new FarmError('invalid_argument', `file is the one file that is taken, got another as "${name}"`));
      return;
    }
    filename = givenName ?? '';
    storing = store(stream, upload, maxFileBytes);
    storing.catch(fail);
  });
  parser.on('error', (cause: unknown) => {
    fail(malformed(cause));
  });
  const gone = (): void => {
    if (!request.complete) fail(new FarmError('cancelled', 'the caller is gone'));
  };
  request.once('close', gone);
  try {
    request.pipe(parser);
    await Promise.race([once(parser, 'finish'), failed]);
    await Promise.race([storing, failed]);
  } finally {
    request.off('close', gone);
    request.unpipe(parser);
  }
  if (filename === undefined) throw new FarmError('invalid_argument', 'file is missing in the form');
  return { filename, fields };
}

function openParser(request: IncomingMessage): BusboyInstance {
  const { 'content-type': type = '', ...headers } = request.headers;
  if (!/^multipart\/form-data\b/i.test(type)) {
    throw new FarmError(
      'invalid_argument',
      'the body must be a form, with Content-Type: multipart/form-data',
    );
  }
  try {
    return new Busboy({
      headers: { ...headers, 'content-type': type },
      limits: {
        files: 2,
        fields: MAX_FIELDS,
        fieldSize: MAX_FIELD_BYTES,
        parts: MAX_FIELDS + 2,
        headerPairs: 20,
        headerSize: 16_384,
      },
    });
  } catch (cause) {
    throw new FarmError('invalid_argument', 'the form is malformed: it has no boundary', { cause });
  }
}

async function store(stream: BusboyFileStream, upload: FileUpload, maxFileBytes: number): Promise<void> {
  let bytes = 0;
  const parts = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const { done, value } = await parts.next().catch((cause: unknown) => {
      throw malformed(cause);
    });
    if (done === true) return;
    bytes += value.length;
    if (bytes > maxFileBytes) throw new UploadTooLarge(maxFileBytes);
    await upload.append(value);
  }
}

function malformed(cause: unknown): FarmError {
  return new FarmError('invalid_argument', 'the form is malformed', { cause });
}
