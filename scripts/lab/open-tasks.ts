/** The tasks that the sessions of a run work on, by the status that they were told last. */
import type { Random } from "../../src/simulation/random.ts";
import { isFinished, type TaskStatus } from "../../src/task/task.ts";

/** How often a finished task is drawn while there are unfinished ones. */
const FINISHED_SHARE = 0.1;
/** Older ones are forgotten: otherwise their history would become too long for the bucket. */
const FINISHED_KEPT = 30;

export class OpenTasks {
  readonly #wanted: number;
  readonly #open = new Set<string>();
  readonly #finished = new Set<string>();

  /** @param wanted how many unfinished tasks there should be; with few, sessions compete more */
  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** Whether more should be created. */
  get isShort(): boolean {
    return this.#open.size < this.#wanted;
  }

  note(taskId: string, status: TaskStatus): void {
    const [now, before] = isFinished(status)
      ? [this.#finished, this.#open]
      : [this.#open, this.#finished];
    before.delete(taskId);
    now.add(taskId);
    if (this.#finished.size <= FINISHED_KEPT) return;
    const [oldest] = this.#finished;
    if (oldest !== undefined) this.#finished.delete(oldest);
  }

  /** `null` if there is none at all. */
  pick(random: Random): string | null {
    const isFinished = this.#open.size === 0 || random() < FINISHED_SHARE;
    const ids = [...(isFinished ? this.#finished : this.#open)];
    return ids[Math.floor(random() * ids.length)] ?? null;
  }
}
