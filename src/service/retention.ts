/**
 * Removes finished tasks and their history after the retention time. A task stays while an incomplete
 * task depends on it, because the dependent would otherwise wait forever.
 */
import type { CompactTask } from "../protocol/compact-task.ts";
import { forEachAtATime } from "./at-a-time.ts";
import type { Clock, Observe, ServiceContext, TaskStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess } from "./task-writer.ts";

const MIN_EVERY_MS = 250;
const MAX_EVERY_MS = 30_000;
/** A removal takes some round trips, in which others can run. */
const REMOVALS_AT_A_TIME = 16;

export class Retention {
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #round: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor({ store, index }: TaskAccess, { settings, clock, observe }: ServiceContext) {
    this.#store = store;
    this.#tasks = index;
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
  }

  start(): void {
    if (this.#settings.retentionSeconds > 0) this.#schedule();
  }

  /** Resolves when the removals under way have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#round;
  }

  #schedule(): void {
    if (this.#stopped) return;
    const every = (this.#settings.retentionSeconds * 1000) / 10;
    const delay = Math.min(Math.max(every, MIN_EVERY_MS), MAX_EVERY_MS);
    // Random delays make it likely that only one worker finds the work.
    this.#timer = setTimeout(
      () => {
        this.#round = this.#removeOld().finally(() => {
          this.#schedule();
        });
      },
      delay * (0.5 + this.#clock.random()),
    );
  }

  async #removeOld(): Promise<void> {
    if (!this.#tasks.isCurrent) return;
    const before = this.#clock.now() - this.#settings.retentionSeconds * 1000;
    const old: CompactTask[] = [];
    for (const task of this.#tasks.finished) {
      if ((task.finishedAt ?? 0) > before) break;
      if (!this.isNeeded(task)) old.push(task);
    }
    await forEachAtATime(REMOVALS_AT_A_TIME, old, async (task) => {
      if (!this.#stopped) await this.remove(task);
    }).catch((cause: unknown) => {
      // The next round does the rest.
      this.#observe({ kind: "background_error", what: "removal of finished tasks", cause });
    });
  }

  /** Removes the task and its history; leaves it if it has changed or is needed. */
  async remove(task: CompactTask): Promise<void> {
    const { taskId, revision } = task;
    // Until the task is removed, it may be requeued or become a dependency at any time.
    if (!this.#isRemovable(task)) return;
    await this.#store.dropHistory(taskId, revision);
    if (!this.#isRemovable(task)) return;
    const outcome = await this.#store.purge(taskId, revision);
    if (outcome.kind !== "written") return;
    this.#observe({ kind: "task_removed", taskId });
  }

  /** Whether another task still needs this one, so that it must stay. */
  isNeeded({ taskId }: Pick<CompactTask, "taskId">): boolean {
    for (const id of this.#tasks.dependents.get(taskId)) {
      const dependent = this.#tasks.get(id);
      // A dependent that failed or was cancelled may be requeued.
      if (dependent !== undefined && dependent.status !== "complete") return true;
    }
    return false;
  }

  #isRemovable(task: CompactTask): boolean {
    return this.#tasks.get(task.taskId) === task && !this.isNeeded(task);
  }
}
