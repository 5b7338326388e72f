/**
 * The place of a message among those that a consumer delivers, from its reply subject:
 * `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<delivery>.<time>.<pending>`. A longer form has domain and
 * account before the stream, and a random token at the end (ADR-15).
 */
export interface DeliveredPlace {
  /** The position in the stream. */
  readonly sequence: number;
  /** Counts what the consumer delivers, from 1. */
  readonly delivery: number;
  /** Epoch milliseconds. */
  readonly storedAt: number;
  /** How many messages the consumer has still to deliver. */
  readonly pending: number;
}

const TOKENS_BEFORE_SEQUENCE = 5;
const TOKENS_OF_DOMAIN = 2;

/** Reads the places of one consumer, whose subjects all begin alike. A worker reads one for each write. */
export class DeliveredPlaces {
  #prefix = "";

  /** `null` for a status message, which has no place. */
  read(reply: string | undefined): DeliveredPlace | null {
    if (reply === undefined || reply === "") return null;
    if (this.#prefix === "" || !reply.startsWith(this.#prefix)) {
      const tokens = reply.split(".");
      if (tokens[1] !== "ACK" || tokens.length < 9) return null;
      const first = TOKENS_BEFORE_SEQUENCE + (tokens.length === 9 ? 0 : TOKENS_OF_DOMAIN);
      this.#prefix = `${tokens.slice(0, first).join(".")}.`;
    }
    const sequence = this.#prefix.length;
    const delivery = reply.indexOf(".", sequence) + 1;
    const storedAt = reply.indexOf(".", delivery) + 1;
    const pending = reply.indexOf(".", storedAt) + 1;
    const end = reply.indexOf(".", pending);
    return {
      sequence: Number(reply.slice(sequence, delivery - 1)),
      delivery: Number(reply.slice(delivery, storedAt - 1)),
      storedAt: Number(reply.slice(storedAt, pending - 1)) / 1e6,
      pending: Number(end < 0 ? reply.slice(pending) : reply.slice(pending, end)),
    };
  }
}
