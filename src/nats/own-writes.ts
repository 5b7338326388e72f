/**
 * What this process is writing to a bucket. The watch often brings a write before its acknowledgement
 * comes; whoever knows what it says need not decode it.
 */
import type { WriteOutcome } from "../service/ports.ts";
import type { KvMessage } from "./kv-message.ts";

export class OwnWrites<Value> {
  readonly #underWay = new Map<string, { readonly text: string; readonly value: Value }>();

  /** @param text as which the value is written */
  async during(
    key: string,
    text: string,
    value: Value,
    write: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const own = { text, value };
    this.#underWay.set(key, own);
    try {
      return await write();
    } finally {
      if (this.#underWay.get(key) === own) this.#underWay.delete(key);
    }
  }

  /** The value that the message has, if it is being written here. */
  valueOf(message: KvMessage): Value | null {
    const own = this.#underWay.get(message.key);
    if (own?.text !== message.text) return null;
    return message.operation === "put" ? own.value : null;
  }
}
