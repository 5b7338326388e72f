/**
 * The writes of this process that have no acknowledgement yet. The watch often delivers such a write first.
 * Then the value is known already, and neither the record nor its headers must be decoded.
 */
import type { WriteOutcome } from "../service/ports.ts";
import type { WatchedMessage } from "./kv-message.ts";

export class PendingWrites<Value> {
  readonly #pending = new Map<string, { readonly payload: Buffer; readonly value: Value }>();

  /** @param payload the bytes that `write` stores for the value */
  async during(
    key: string,
    payload: Buffer,
    value: Value,
    write: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const own = { payload, value };
    this.#pending.set(key, own);
    try {
      return await write();
    } finally {
      if (this.#pending.get(key) === own) this.#pending.delete(key);
    }
  }

  /** The value of a message with the same bytes as a pending write of its key; otherwise `null`. */
  valueOf({ key, payload }: Pick<WatchedMessage, "key" | "payload">): Value | null {
    const own = this.#pending.get(key);
    return own?.payload.equals(payload) === true ? own.value : null;
  }
}
