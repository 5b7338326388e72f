/** A handler whose work ends when the test says so. */
import type { TaskRecord } from "../../src/protocol/task-record.ts";
import type { TaskContext, TaskHandler } from "../../src/client/task-handler.ts";

export interface HeldTask {
  readonly id: string;
  readonly task: TaskRecord;
  readonly context: TaskContext;
  /** Resolves with the reason when the work should stop. */
  readonly aborted: Promise<{ readonly code: string; readonly message: string }>;
  readonly finish: (result?: unknown) => void;
  readonly fail: (error: unknown) => void;
}

const PATIENCE_MS = 15_000;

export class HeldWork {
  /** The work that has begun, in order. */
  readonly begun: HeldTask[] = [];
  /** The largest number of tasks under way at one time. */
  peak = 0;
  #underway = 0;
  #changed: () => void = () => undefined;

  readonly handler: TaskHandler = async (task, context) => {
    this.peak = Math.max(this.peak, ++this.#underway);
    try {
      return await new Promise((resolve, reject) => {
        const aborted = new Promise<{ code: string; message: string }>((told) => {
          context.signal.addEventListener("abort", () => {
            told(context.signal.reason as { code: string; message: string });
          });
        });
        const { task_id: id } = task;
        this.begun.push({ id, task, context, aborted, finish: resolve, fail: reject });
        this.#changed();
      });
    } finally {
      this.#underway--;
    }
  };

  /** Resolves with the n-th work when it has begun. */
  async nth(count: number): Promise<HeldTask> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const held = this.begun[count - 1];
      if (held !== undefined) return held;
      if (Date.now() > deadline) throw new Error(`only ${this.begun.length} tasks were begun`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now());
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  finishAll(): void {
    for (const held of this.begun) held.finish();
  }
}
