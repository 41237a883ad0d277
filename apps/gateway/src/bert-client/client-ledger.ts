/** What one client has in the door. */
interface Account {
  bytes: number;
  requests: number;
  /** Of `bytes`, those of results that it has not taken. */
  resultBytes: number;
}

const NOTHING: Readonly<Account> = { bytes: 0, requests: 0, resultBytes: 0 };

/** Who has how much in the door: requests until they are answered, results until ZeroMQ has them. */
export class ClientLedger {
  readonly #accounts = new Map<string, Account>();
  #totalBytes = 0;
  #totalRequests = 0;

  get totalBytes(): number {
    return this.#totalBytes;
  }

  get totalRequests(): number {
    return this.#totalRequests;
  }

  /** Clients that have anything here. */
  get clients(): number {
    return this.#accounts.size;
  }

  of(client: string): Readonly<Account> {
    return this.#accounts.get(client) ?? NOTHING;
  }

  addRequest(client: string, bytes: number): void {
    this.#change(client, { bytes, requests: 1, resultBytes: 0 });
  }

  endRequest(client: string, bytes: number): void {
    this.#change(client, { bytes: -bytes, requests: -1, resultBytes: 0 });
  }

  addResult(client: string, bytes: number): void {
    this.#change(client, { bytes, requests: 0, resultBytes: bytes });
  }

  endResult(client: string, bytes: number): void {
    this.#change(client, { bytes: -bytes, requests: 0, resultBytes: -bytes });
  }

  #change(client: string, by: Account): void {
    const account = this.#accounts.get(client) ?? { ...NOTHING };
    account.bytes += by.bytes;
    account.requests += by.requests;
    account.resultBytes += by.resultBytes;
    this.#totalBytes += by.bytes;
    this.#totalRequests += by.requests;
    if (account.requests === 0 && account.bytes === 0) this.#accounts.delete(client);
    else this.#accounts.set(client, account);
  }
}
