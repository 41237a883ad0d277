import { FarmError } from '@embedfarm/contract';
import { Engine } from '@embedfarm/engine/engine';

/**
 * Runs `open`, and keeps hold of the engine that it opens: a running worker shows none of its counters.
 *
 * @throws FarmError `internal` when it opened none.
 */
export async function watchEngine<Opened>(
  open: () => Promise<Opened>,
): Promise<{ opened: Opened; engine: Engine }> {
  const openEngine = Engine.open.bind(Engine);
  let engine: Engine | undefined;
  Engine.open = async (options) => (engine = await openEngine(options));
  try {
    const opened = await open();
    if (engine === undefined) throw new FarmError('internal', 'the worker opened no engine');
    return { opened, engine };
  } finally {
    Engine.open = openEngine;
  }
}
