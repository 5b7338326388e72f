/**
 * Waits for changes of tasks. When the model no longer waits, the wait can go on without it and tell it by a
 * notice which of its tasks is finished.
 */
import type { Coordinator } from "../client/coordinator.ts";
import type { TaskUpdate } from "../client/task-update.ts";

export interface Change {
  readonly task_id: string;
  readonly status: string;
  readonly event: string;
  /** The session that caused it. */
  readonly by?: string;
  readonly revision: number;
}

export interface WaitFilter {
  readonly prefix?: string;
  readonly wants: (update: TaskUpdate) => boolean;
}

/** More than one reply shows. The rest is read again from the cursor of the reply. */
const MAX_COLLECTED = 100;

export class TaskWait {
  readonly #coordinator: Coordinator;
  readonly #changes: Change[] = [];
  #subscription: string | null = null;
  #isStopped = false;
  #came: () => void = () => undefined;
  #tell: ((change: Change) => void) | null = null;

  private constructor(coordinator: Coordinator) {
    this.#coordinator = coordinator;
  }

  /** Collects all changes after the revision. @throws TaskError */
  static async start(
    coordinator: Coordinator,
    { prefix = "", wants }: WaitFilter,
    since: number,
  ): Promise<TaskWait> {
    const wait = new TaskWait(coordinator);
    wait.#subscription = await coordinator.subscribeTaskUpdates(
      (update) => {
        if (wants(update)) wait.#add(toChange(update));
      },
      { since, filter: { prefix } },
    );
    return wait;
  }

  /** What has come so far, in order. */
  get changes(): readonly Change[] {
    return this.#changes;
  }

  /** Resolves with the first change. */
  first(): Promise<void> {
    if (this.#changes.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#came = resolve;
    });
  }

  /** Forgets what has come so far. */
  clear(): void {
    this.#changes.length = 0;
  }

  /** From now on, each change is told. */
  goOn(tell: (change: Change) => void): void {
    for (const change of this.#changes.splice(0)) tell(change);
    this.#tell = tell;
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#subscription !== null) this.#coordinator.unsubscribe(this.#subscription);
  }

  #add(change: Change): void {
    if (this.#isStopped) return;
    if (this.#tell !== null) this.#tell(change);
    else if (this.#changes.length < MAX_COLLECTED) this.#changes.push(change);
    this.#came();
  }
}

export function toChange(update: TaskUpdate): Change {
  const { task_id, new_status: status, type: event, session_id: by, revision } = update;
  return { task_id, status, event, ...(by === null ? {} : { by }), revision };
}
