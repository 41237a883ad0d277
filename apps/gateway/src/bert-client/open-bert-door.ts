import { BertDoor } from './bert-door.ts';
import type { BertDoorOptions } from './bert-door-options.ts';

/**
 * Opens the two ports for unmodified clients of bert-as-service 1.5.7 to 1.10.0. Redis may be down: requests wait for it.
 *
 * @throws FarmError `invalid_argument` for a bad option, or a port that is taken.
 */
export async function openBertDoor(options: BertDoorOptions = {}): Promise<BertDoor> {
  return await BertDoor.open(options);
}
