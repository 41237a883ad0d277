/** What one client has in the door. */
interface Account {
  requests: number;
  requestBytes: number;
  /** Of results that it has not taken. */
  resultBytes: number;
}

const NOTHING: Readonly<Account> = { requests: 0, requestBytes: 0, resultBytes: 0 };

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
    this.#change(client, { requests: 1, requestBytes: bytes, resultBytes: 0 });
  }

  endRequest(client: string, bytes: number): void {
    this.#change(client, { requests: -1, requestBytes: -bytes, resultBytes: 0 });
  }

  addResult(client: string, bytes: number): void {
    this.#change(client, { requests: 0, requestBytes: 0, resultBytes: bytes });
  }

  endResult(client: string, bytes: number): void {
    this.#change(client, { requests: 0, requestBytes: 0, resultBytes: -bytes });
  }

  #change(client: string, by: Account): void {
    const account = this.#accounts.get(client) ?? { ...NOTHING };
    account.requests += by.requests;
    account.requestBytes += by.requestBytes;
    account.resultBytes += by.resultBytes;
    this.#totalRequests += by.requests;
    this.#totalBytes += by.requestBytes + by.resultBytes;
    if (account.requests === 0 && account.resultBytes === 0) this.#accounts.delete(client);
    else this.#accounts.set(client, account);
  }
}
