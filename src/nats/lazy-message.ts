/** A message that a watch delivers. A worker has one for each write of each worker. */
import type { Msg } from "@nats-io/transport-node";
import { operationOf, reasonOf, type WatchedMessage } from "./kv-message.ts";
import type { StreamMessage } from "./stream-consumer.ts";

/** Reads its parts only when they are needed. For our own writes, nobody needs them. */
export class LazyMessage implements WatchedMessage {
  readonly key: string;
  readonly revision: number;
  readonly writtenAt: number;
  /** Who looks for a write reads the entry from the leader, with its headers. */
  readonly writeId = null;
  readonly #msg: Msg;
  #isDecoded = false;

  constructor({ msg, sequence, storedAt }: StreamMessage, prefix: string) {
    this.key = msg.subject.slice(prefix.length);
    this.revision = sequence;
    this.writtenAt = storedAt;
    this.#msg = msg;
  }

  /** Markers have no payload, so the headers of most messages are never read. */
  get operation(): WatchedMessage["operation"] {
    return this.#msg.data.length > 0 ? "put" : operationOf(() => this.#msg.headers);
  }

  get payload(): Uint8Array {
    return this.#msg.data;
  }

  /** Whether the text was needed: somebody else has written the message. */
  get isDecoded(): boolean {
    return this.#isDecoded;
  }

  get text(): string {
    this.#isDecoded = true;
    return this.#msg.string();
  }

  get reason(): string | null {
    return this.#msg.data.length > 0 ? null : reasonOf(() => this.#msg.headers);
  }
}
