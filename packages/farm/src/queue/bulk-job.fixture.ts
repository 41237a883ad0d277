import { encodeOptionsSchema, MAX_CHUNK_TEXTS, type EncodeJob } from '@embedfarm/contract';

/** A bulk chunk of cost 1 for a FakeEncoder: 256 texts, the first of which names it `<tenant> <index>`. */
export function bulkJob(tenant: string, index: number, { clientId = tenant } = {}): EncodeJob {
  return {
    version: 1,
    requestId: `0-${clientId}-${index}`,
    chunkIndex: 0,
    clientId,
    model: 'fake',
    fingerprint: 'fake-1',
    texts: [`${tenant} ${index}`, ...Array.from({ length: MAX_CHUNK_TEXTS - 1 }, () => '')],
    options: encodeOptionsSchema.parse({}),
    ...(clientId === tenant ? {} : { tenant }),
    tracked: false,
    awaited: false,
    deadlineMs: 0,
    resultTtlMs: 60_000,
  };
}

export function bulkJobs(tenant: string, count: number, { clientId = tenant, from = 0 } = {}): EncodeJob[] {
  return Array.from({ length: count }, (_, index) => bulkJob(tenant, from + index, { clientId }));
}
