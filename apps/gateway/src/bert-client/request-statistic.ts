/** How long a client counts as active after its last texts. */
const ACTIVE_MS = 180_000;
/** Clients that are told apart; the ones heard last. */
const MAX_CLIENTS = 500;
const MAX_INTERVALS = 200;

/** `statistic` of SHOW_STATUS: the figures of bert-as-service, with its names. */
export class RequestStatistic {
  /** The one heard last is the last. */
  readonly #clients = new Map<string, { requests: number; activeAtMs: number | undefined }>();
  readonly #sizes = new Map<number, number>();
  readonly #intervals: number[] = [];
  #clientsForgotten = 0;
  #dataRequests = 0;
  #systemRequests = 0;
  #sequences = 0;
  #lastAtMs: number;

  constructor(nowMs = performance.now()) {
    this.#lastAtMs = nowMs;
  }

  /** Any request; `rows` where it is one for vectors. */
  note(client: string, rows: number | undefined, nowMs = performance.now()): void {
    const known = this.#clients.get(client);
    this.#clients.delete(client);
    this.#clients.set(client, {
      requests: (known?.requests ?? 0) + 1,
      activeAtMs: rows === undefined ? known?.activeAtMs : nowMs,
    });
    this.#forgetOldest();
    if (rows === undefined) {
      this.#systemRequests += 1;
      return;
    }
    this.#dataRequests += 1;
    this.#sequences += rows;
    if (this.#sizes.has(rows) || this.#sizes.size < MAX_CLIENTS) {
      this.#sizes.set(rows, (this.#sizes.get(rows) ?? 0) + 1);
    }
    this.#intervals.push((nowMs - this.#lastAtMs) / 1_000);
    if (this.#intervals.length > MAX_INTERVALS) this.#intervals.shift();
    this.#lastAtMs = nowMs;
  }

  value(nowMs = performance.now()): Record<string, number> {
    const clients = [...this.#clients.values()];
    const active = clients.filter(({ activeAtMs = -Infinity }) => nowMs - activeAtMs < ACTIVE_MS);
    const rates = this.#intervals.filter((seconds) => seconds > 0).map((seconds) => 1 / seconds);
    const sizes = [...this.#sizes].map(([size, times]) => ({ value: size, times }));
    return {
      num_data_request: this.#dataRequests,
      num_total_seq: this.#sequences,
      num_sys_request: this.#systemRequests,
      num_total_request: this.#dataRequests + this.#systemRequests,
      num_total_client: clients.length + this.#clientsForgotten,
      num_active_client: active.length,
      ...spread(
        'request_per_client',
        clients.map(({ requests }) => ({ value: requests, times: 1 })),
      ),
      ...spread('size_per_request', sizes),
      ...spread('last_two_interval', once(this.#intervals)),
      ...spread('request_per_second', once(rates)),
    };
  }

  #forgetOldest(): void {
    if (this.#clients.size <= MAX_CLIENTS) return;
    const [oldest] = this.#clients.keys();
    if (oldest !== undefined) this.#clients.delete(oldest);
    this.#clientsForgotten += 1;
  }
}

interface Counted {
  readonly value: number;
  readonly times: number;
}

function once(values: readonly number[]): Counted[] {
  return values.map((value) => ({ value, times: 1 }));
}

/** Nothing where nothing was counted, as in bert-as-service. */
function spread(name: string, counted: readonly Counted[]): Record<string, number> {
  if (counted.length === 0) return {};
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let count = 0;
  for (const { value, times } of counted) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value * times;
    count += times;
  }
  const timesOf = (wanted: number): number =>
    counted.reduce((total, { value, times }) => total + (value === wanted ? times : 0), 0);
  return {
    [`avg_${name}`]: sum / count,
    [`min_${name}`]: min,
    [`max_${name}`]: max,
    [`num_min_${name}`]: timesOf(min),
    [`num_max_${name}`]: timesOf(max),
  };
}
