import type { FarmStatus } from '@embedfarm/sdk';
import type { BertDoor } from '../bert-client/bert-door.ts';
import { RequestStatistic } from '../bert-client/request-statistic.ts';
import { serverConfig, serverStatus, type DoorFacts } from '../bert-client/server-config.ts';
import { servedModel } from '../http/served-model.ts';

/** Most texts of a call of HTTP: its answer is held as a whole. */
export const MAX_BERT_TEXTS = 8_192;
/** Who calls by HTTP without a key is one client. */
const NAMELESS = 'http';

/** What the gateway tells of itself as bert-as-service does: the same by HTTP and by ZeroMQ. */
export class BertStatus {
  /** Requests of both doors. */
  readonly statistic = new RequestStatistic();
  readonly #model: string | undefined;
  readonly #facts: DoorFacts;
  #door: Pick<BertDoor, 'facts' | 'counters' | 'figures'> | undefined;

  constructor({ model, maxBodyBytes }: { model: string | undefined; maxBodyBytes: number }) {
    this.#model = model;
    this.#facts = {
      startedAt: new Date(),
      normalize: undefined,
      showTokens: false,
      maxRequestBytes: maxBodyBytes,
      maxRequestTexts: MAX_BERT_TEXTS,
      zeromq: undefined,
    };
  }

  /** From now on what is told is told of this door. */
  watch(door: Pick<BertDoor, 'facts' | 'counters' | 'figures'>): void {
    this.#door = door;
  }

  /** Counts a request by HTTP. */
  note(key: string | undefined, texts: number): void {
    this.statistic.note(key ?? NAMELESS, texts);
  }

  /** @throws FarmError `model_not_found`; `invalid_argument` where the farm serves several, and none was named. */
  of(farm: FarmStatus, client: string): Record<string, unknown> {
    const { facts = this.#facts, counters } = this.#door ?? {};
    const door = this.#door && { ...counters, now: this.#door.figures() };
    const config = serverConfig(facts, client, servedModel(farm, this.#model));
    return serverStatus(config, this.statistic.value(), door, farm);
  }
}
