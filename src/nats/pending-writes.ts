/**
 * What this process is writing to a bucket. The watch often brings a write before its acknowledgement
 * comes; whoever knows what it says need not decode it, nor read its headers.
 */
import type { WriteOutcome } from "../service/ports.ts";
import type { WatchedMessage } from "./kv-message.ts";

export class PendingWrites<Value> {
  readonly #underWay = new Map<string, { readonly payload: Buffer; readonly value: Value }>();

  /** `payload`: how `write` spells the value. */
  async during(
    key: string,
    payload: Buffer,
    value: Value,
    write: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const own = { payload, value };
    this.#underWay.set(key, own);
    try {
      return await write();
    } finally {
      if (this.#underWay.get(key) === own) this.#underWay.delete(key);
    }
  }

  /** The value that the message has, if it says what is being written here, whoever wrote it. */
  valueOf({ key, payload }: Pick<WatchedMessage, "key" | "payload">): Value | null {
    const own = this.#underWay.get(key);
    return own?.payload.equals(payload) === true ? own.value : null;
  }
}
