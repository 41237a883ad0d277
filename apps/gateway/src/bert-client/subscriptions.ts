const SUBSCRIBE = 1;
const UNSUBSCRIBE = 0;
/** Topics that are told apart. Of a client beyond them nothing is known, and its results wait their longest. */
const MAX_TOPICS = 1_000_000;
const MAX_TOPIC_BYTES = 255;

/** Who hears what, as an XPUB socket tells it. Keys are topics with one character a byte. */
export class Subscriptions {
  readonly #topics = new Set<string>();
  /** How many topics there are of each length. */
  readonly #lengths = new Map<number, number>();

  /**
   * A message of the socket: a byte 1 or 0, then the topic. What else peers send is nothing to it.
   *
   * @returns the topic that is new.
   */
  note(message: readonly Buffer[]): string | undefined {
    const [frame] = message;
    if (!frame || message.length !== 1 || frame.length > MAX_TOPIC_BYTES + 1) return undefined;
    const topic = frame.toString('latin1', 1);
    if (frame[0] === SUBSCRIBE) return this.#add(topic);
    if (frame[0] === UNSUBSCRIBE && this.#topics.delete(topic)) this.#count(topic.length, -1);
    return undefined;
  }

  /** Somebody has subscribed to exactly this. */
  has(client: string): boolean {
    return this.#topics.has(client);
  }

  /** Somebody hears this among others: a subscription is to everything that begins with its topic. */
  hears(client: string): boolean {
    for (const length of this.#lengths.keys()) {
      if (length <= client.length && this.#topics.has(client.slice(0, length))) return true;
    }
    return false;
  }

  #add(topic: string): string | undefined {
    if (this.#topics.has(topic) || this.#topics.size >= MAX_TOPICS) return undefined;
    this.#topics.add(topic);
    this.#count(topic.length, 1);
    return topic;
  }

  #count(length: number, by: number): void {
    const count = (this.#lengths.get(length) ?? 0) + by;
    if (count === 0) this.#lengths.delete(length);
    else this.#lengths.set(length, count);
  }
}
