import { FarmError } from '@embedfarm/contract';
import type { PreparedModel } from '../model/prepare-model.ts';
import type { Tokenizer } from '../tokenize/tokenizer.ts';
import { deviceOptionsOf } from './device-options-of.ts';
import { DevicePool } from './device-pool.ts';
import { isProviderFault, providerRefusal } from './provider-fault.ts';
import { providerOf } from './provider.ts';
import { ThreadedDevice } from './threaded-device.ts';

/**
 * The model on the devices named: a core loads the graph whose weights are laid out for it, a card the
 * model's own.
 *
 * @param threads of the device `cpu/*`; without it there is none.
 * @throws FarmError `invalid_argument` naming the graph that does not open or does not run, and for an int8
 *   graph on a card.
 */
export async function openModelPool(
  names: readonly string[],
  { spec, graphFile }: PreparedModel,
  tokenizer: Tokenizer,
  threads: number | undefined,
): Promise<DevicePool> {
  if (spec.dtype === 'int8') refuseCards(names);
  const open = (name: string, threads = 1): Promise<ThreadedDevice> => {
    const file = providerOf(name) === 'cpu' ? graphFile : spec.files.graph;
    return ThreadedDevice.open({ name, threads, ...deviceOptionsOf(spec, file, tokenizer) });
  };
  const { padId: tokenId, maxSequenceLength } = spec;
  try {
    return await DevicePool.open(names, open, { tokenId, maxSequenceLength, threads });
  } catch (thrown) {
    throw graphError(spec.files.graph, FarmError.from(thrown));
  }
}

/** The runtime multiplies whole numbers of tokens on the CPU alone. */
function refuseCards(names: readonly string[]): void {
  const card = names.find((name) => providerOf(name) !== 'cpu');
  if (card !== undefined)
    throw providerRefusal(card, 'does not run dtype int8, which is for the cpu: use float32');
}

/** A graph that does not open, or fails in its first run, does not fit what stands beside it. */
function graphError(graph: string, error: FarmError): FarmError {
  const isOfModel = error.code === 'invalid_argument' || error.code === 'internal';
  if (!isOfModel || isProviderFault(error) || error.detail.startsWith(graph)) return error;
  return new FarmError('invalid_argument', `${graph}: ${error.detail}`, { cause: error });
}
