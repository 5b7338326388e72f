/**
 * The writes of one request that NATS has not acknowledged, and whether the bucket has one of them after all.
 *
 * Others may have written on top of such a write. It is then among the earlier records, if the bucket still has
 * those. If it does not, nobody knows, and the answer must not say that nothing was written.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { LoadedTask, TaskEntry, TaskStore, WriteOutcome } from "./ports.ts";

export class DoubtfulWrites {
  readonly #store: Pick<TaskStore, "history">;
  readonly #ids: string[] = [];
  /** The revision that the first of them was to replace; 0: none. */
  #base = 0;

  constructor(store: Pick<TaskStore, "history">) {
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
    if (this.isEmpty) this.#base = expectedRevision;
    this.#ids.push(writeId);
    return true;
  }

  /**
   * The entry that one of them has stored; `null` if none has. It may no longer be the current record.
   *
   * @throws CoordinatorError `unavailable` if the bucket no longer has the records that would tell
   */
  async find(now: LoadedTask): Promise<LoadedTask | null> {
    if (this.isEmpty) return null;
    const isOwn = ({ writeId }: LoadedTask): boolean => this.#ids.includes(writeId ?? "");
    if (isOwn(now)) return now;
    const entries = await this.#store.history(now.taskId);
    const own = entries.find((entry): entry is LoadedTask => "task" in entry && isOwn(entry));
    if (own !== undefined) return own;
    if (isWholeAfter(this.#base, entries[0] ?? now)) return null;
    throw this.unknown(now.taskId);
  }

  unknown(taskId: string): CoordinatorError {
    return new CoordinatorError(
      "unavailable",
      `it is not known whether task ${taskId} was written: ask again`,
    );
  }
}

/** Whether the bucket has all records of the task after this revision. `oldest`: the first that it still has. */
function isWholeAfter(base: number, oldest: TaskEntry): boolean {
  if (base > 0) return oldest.revision <= base;
  return !("task" in oldest) || (oldest.task.createdRevision ?? oldest.revision) >= oldest.revision;
}
