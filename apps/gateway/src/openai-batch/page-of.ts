import { parseOptions } from '@embedfarm/contract';
import { z } from 'zod';

const MAX_PAGE = 10_000;

export const pageQuerySchema = z
  .strictObject({
    /** Id of the last one of the page before. */
    after: z.string().max(100).optional(),
    limit: z.coerce.number().int().min(1).max(MAX_PAGE).optional(),
    order: z.enum(['asc', 'desc']).default('desc'),
    /** Of files. */
    purpose: z.string().max(100).optional(),
  })
  .meta({ title: 'PageQuery' });
export type PageQuery = z.output<typeof pageQuerySchema>;

export function readPageQuery(query: object): PageQuery {
  return parseOptions('query', pageQuerySchema, { ...query });
}

interface Named {
  readonly id: string;
}

/** A page of what is there, the newest first, in OpenAI's shape. One that is not there any more begins at the start. */
export function pageOf<One extends Named>(
  all: readonly One[],
  { after, limit, order }: PageQuery,
  { defaultLimit, jsonOf }: { defaultLimit: number; jsonOf: (one: One) => object },
): object {
  const sorted = order === 'asc' ? all.toReversed() : all;
  const from = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after) + 1;
  const page = sorted.slice(from, from + (limit ?? defaultLimit));
  return {
    object: 'list',
    data: page.map(jsonOf),
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
    has_more: from + page.length < sorted.length,
  };
}
