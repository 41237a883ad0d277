import { EmbeddingFarm } from '@embedfarm/sdk';
import { serveBench } from '../serve-bench.ts';
import { checkRows, type RowFaults } from './check-rows.ts';
import { textsOf, type TextsSpec } from './texts-of.ts';

export interface ClientOptions {
  readonly redis: string;
}

type ClientRequest =
  | { readonly kind: 'ready' }
  /** Resolves with the request's id when all of it is in Redis. */
  | { readonly kind: 'submit'; readonly spec: TextsSpec; readonly label: string }
  | { readonly kind: 'encode'; readonly spec: TextsSpec };

// The entry of a process: failure-process.ts starts it.
await serveBench('failure-client', async ({ redis }: ClientOptions, { signal }) => {
  const farm = await EmbeddingFarm.connect({ redis }, { signal });
  const encode = async (spec: TextsSpec): Promise<RowFaults> => {
    const texts = textsOf(spec);
    return checkRows(texts, await farm.encode(texts));
  };
  return {
    runner: {
      async handle(request: ClientRequest): Promise<unknown> {
        switch (request.kind) {
          case 'ready':
            return undefined;
          case 'submit':
            return (await farm.submit(textsOf(request.spec), { label: request.label })).id;
          case 'encode':
            return await encode(request.spec);
        }
      },
    },
    close: () => farm.close(),
  };
});
