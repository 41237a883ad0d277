import { FarmError, MAX_CHUNK_TEXTS } from '@embedfarm/contract';
import { EmbeddingFarm } from '@embedfarm/sdk';
import { ClosedLoop, epochMs, type LoopCalls, type Span } from '../closed-loop.ts';
import { farmEncode } from '../encode.ts';
import { workloadTexts, type WorkloadSpec } from '../workload.ts';

/** Which of the farm's models is asked, and in calls of how many texts. */
interface Asked {
  readonly model: string;
  readonly workload: WorkloadSpec;
  readonly callTexts: number;
}

export interface SweepClientCalls {
  /** Answered once the process is open. */
  ready: { request: object; answer: null };
  /** CPU seconds of the process since its start. */
  cpu: { request: object; answer: number };
  /** So many SDK instances are connected afterwards, no more and no fewer. */
  connect: { request: { clients: number }; answer: null };
  /** Each instance calls again as soon as it has an answer. Instance i is number `firstClient + i` of `clients`. */
  loopStart: { request: Asked & { firstClient: number; clients: number }; answer: null };
  loopStop: { request: { span: Span }; answer: LoopCalls };
  /** Each instance makes so many calls, one after another; instance i has texts of its own. */
  calls: { request: Asked & { firstClient: number; calls: number }; answer: EndedCalls };
}
type SweepClientRequest = {
  [Kind in keyof SweepClientCalls]: { kind: Kind } & SweepClientCalls[Kind]['request'];
}[keyof SweepClientCalls];

/** What the instances of a process did, in ms since 1970. */
export interface EndedCalls {
  readonly beginMs: number;
  readonly endMs: number;
  readonly tokens: number;
  /** By instance: how long each of its calls took. */
  readonly callsMs: readonly (readonly number[])[];
}

/** Puts loads on SDK instances of its own process. */
export class SweepClientRunner {
  readonly #redis: string;
  readonly #signal: AbortSignal;
  #farms: EmbeddingFarm[] = [];
  #loop: ClosedLoop | undefined;

  constructor(redis: string, signal: AbortSignal) {
    this.#redis = redis;
    this.#signal = signal;
  }

  async handle(request: SweepClientRequest): Promise<SweepClientCalls[keyof SweepClientCalls]['answer']> {
    switch (request.kind) {
      case 'ready':
        return null;
      case 'cpu': {
        const { user, system } = process.cpuUsage();
        return (user + system) / 1e6;
      }
      case 'connect':
        await this.#connect(request.clients);
        return null;
      case 'loopStart': {
        const { workload, callTexts, firstClient, clients, model } = request;
        const texts = workloadTexts(workload);
        this.#loop = ClosedLoop.start(
          this.#farms.map((farm) => farmEncode(farm, model)),
          (client) => texts.filter((_, index) => index % clients === firstClient + client),
          { callTexts },
        );
        return null;
      }
      case 'loopStop':
        if (this.#loop === undefined) throw new FarmError('internal', 'no loop runs');
        return this.#loop.stop(request.span);
      case 'calls':
        return this.#calls(request);
    }
  }

  async close(): Promise<void> {
    const farms = this.#farms;
    this.#farms = [];
    await Promise.all(farms.map((farm) => farm.close()));
  }

  async #connect(clients: number): Promise<void> {
    await Promise.all(this.#farms.splice(clients).map((farm) => farm.close()));
    while (this.#farms.length < clients) {
      this.#farms.push(await EmbeddingFarm.connect({ redis: this.#redis }, { signal: this.#signal }));
    }
  }

  async #calls(request: SweepClientCalls['calls']['request']): Promise<EndedCalls> {
    const { model, workload, callTexts, firstClient, calls } = request;
    // As the SDK decides where nothing is said.
    const lane = callTexts > MAX_CHUNK_TEXTS ? 'bulk' : 'interactive';
    const given = this.#farms.map((_, client) => {
      const seed = workload.seed + firstClient + client;
      return workloadTexts({ ...workload, texts: callTexts, seed });
    });
    let tokens = 0;
    const beginMs = epochMs();
    const callsMs = await Promise.all(
      this.#farms.map(async (farm, client) => {
        const encode = farmEncode(farm, model);
        const ended: number[] = [];
        while (ended.length < calls) {
          const fromMs = epochMs();
          tokens += (await encode(given[client] ?? [], lane)).tokens;
          ended.push(epochMs() - fromMs);
        }
        return ended;
      }),
    );
    return { beginMs, endMs: epochMs(), tokens, callsMs };
  }
}
