/**
 * The writes of one request that NATS has not acknowledged, and whether the bucket has one of them after all.
 *
 * Others may have written on top of such a write, or have removed the task. The write is then among the earlier
 * records, if the bucket still has those. If it does not, nobody knows, and the answer must not say that nothing
 * was written. Only the leader's records tell: those of another node may lack the last ones, among them the write.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { LoadedTask, TaskEntry, TaskStore, WriteOutcome } from "./ports.ts";

export class DoubtfulWrites {
  readonly #taskId: string;
  readonly #store: Pick<TaskStore, "loadFrom">;
  readonly #ids: string[] = [];
  /** The revision that the first of them was to replace; 0: none. */
  #base = 0;
  /** The records after the base and before this revision are not theirs. */
  #from = 0;

  constructor(taskId: string, store: Pick<TaskStore, "loadFrom">) {
    this.#taskId = taskId;
    this.#store = store;
  }

  get isEmpty(): boolean {
    return this.#ids.length === 0;
  }

  /** Notes the write if it is in doubt. Returns whether it is. */
  note(outcome: WriteOutcome, writeId: string, expectedRevision: number): boolean {
    const isDoubtful =
      outcome.kind === "unknown" || (outcome.kind === "conflict" && outcome.isDoubtful === true);
    if (!isDoubtful) return false;
    if (this.isEmpty) {
      this.#base = expectedRevision;
      this.#from = expectedRevision + 1;
    }
    this.#ids.push(writeId);
    return true;
  }

  /**
   * The entry that one of them has stored; `null` if none has. It may no longer be the current record.
   *
   * @param last the leader's last entry of the task; `null` if there is none
   * @throws CoordinatorError `unavailable` if the bucket no longer has the records that would tell
   */
  async find(last: TaskEntry | null): Promise<LoadedTask | null> {
    if (this.isEmpty) return null;
    const revision = last?.revision ?? 0;
    // What the first of them was to replace is still the last entry.
    if (revision === this.#base) return null;
    // The node that answered has just lost the lead, or the entries are gone.
    if (last === null || revision < this.#base) throw this.unknown();
    if (this.#isOwn(last)) return last;
    while (this.#from < revision) {
      const entry = await this.#store.loadFrom(this.#taskId, this.#from);
      // A node that has just lost the lead does not have the last record.
      if (entry === null) throw this.unknown();
      if (this.#isOwn(entry)) return entry;
      this.#from = entry.revision + 1;
    }
    if (await this.#hasAll()) return null;
    throw this.unknown();
  }

  unknown(): CoordinatorError {
    return new CoordinatorError(
      "unavailable",
      `it is not known whether task ${this.#taskId} was written: ask again`,
    );
  }

  #isOwn(entry: TaskEntry): entry is LoadedTask {
    return "task" in entry && this.#ids.includes(entry.writeId ?? "");
  }

  /**
   * Whether the bucket has had all records of the task after the base until now. It discards the oldest ones first,
   * so it has if it still has the base, or the record that created the task.
   */
  async #hasAll(): Promise<boolean> {
    const oldest = await this.#store.loadFrom(this.#taskId, Math.max(this.#base, 1));
    if (oldest === null) return false;
    if (this.#base > 0) return oldest.revision === this.#base;
    return "task" in oldest && (oldest.task.createdRevision ?? oldest.revision) >= oldest.revision;
  }
}
