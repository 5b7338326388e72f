/**
 * What this process is writing to a bucket. The watch often brings a write before its acknowledgement
 * comes; whoever knows what it says need not decode it.
 */
import type { WriteOutcome } from "../service/ports.ts";
import type { KvMessage } from "./kv-message.ts";

export class OwnWrites<Value> {
  readonly #underWay = new Map<string, { readonly writeId: string; readonly value: Value }>();

  /** @param writeId which the write carries */
  async during(
    key: string,
    writeId: string,
    value: Value,
    write: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const own = { writeId, value };
    this.#underWay.set(key, own);
    try {
      return await write();
    } finally {
      if (this.#underWay.get(key) === own) this.#underWay.delete(key);
    }
  }

  /** The value that the message has, if it is being written here. */
  valueOf({ key, writeId }: Pick<KvMessage, "key" | "writeId">): Value | null {
    const own = this.#underWay.get(key);
    return own?.writeId === writeId ? own.value : null;
  }
}
