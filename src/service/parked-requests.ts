/**
 * `next` requests that wait for a task to become ready.
 *
 * What becomes ready goes to the request that has waited longest; among those of one session the
 * newest comes first, since an older one may belong to an asker who has given up.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { hasTags, missingCapabilities } from "../task/eligibility.ts";
import { byUrgency, type ReadyFilter, type ReadyTask } from "../task/ready-queue.ts";
import type { Claimed } from "./claims.ts";
import type { Clock } from "./ports.ts";
import type { Asker, ReadyClaims } from "./ready-claims.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import { type Waiter, WaiterQueue } from "./waiter-queue.ts";

/** Timers take no longer delays; a task that is due later is looked at again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export class ParkedRequests {
  readonly #ready: ReadyClaims;
  readonly #tasks: TaskIndex;
  readonly #maxWaiting: number;
  readonly #clock: Clock;
  readonly #waiters = new WaiterQueue<Asker, Claimed[]>();
  #dueTimer: ReturnType<typeof setTimeout> | null = null;
  #dueAt = Infinity;
  #offered = false;
  #stopped = false;

  constructor(ready: ReadyClaims, tasks: TaskIndex, maxWaiting: number, clock: Clock) {
    this.#ready = ready;
    this.#tasks = tasks;
    this.#maxWaiting = maxWaiting;
    this.#clock = clock;
    tasks.onChange((change) => {
      this.#taskChanged(change);
    });
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Ends every wait, without a claim, and lets nobody wait from now on. */
  stop(): void {
    this.#stopped = true;
    if (this.#dueTimer !== null) clearTimeout(this.#dueTimer);
    this.#waiters.dismissAll();
  }

  /** Resolves with claims, or with none when the time is over. @throws CoordinatorError `overloaded` */
  async wait(asker: Asker, timeoutMs: number): Promise<Claimed[]> {
    if (this.#stopped) return [];
    if (this.#waiters.size >= this.#maxWaiting) {
      throw new CoordinatorError("overloaded", "too many requests are waiting: ask again later");
    }
    const answer = this.#waiters.wait(asker, timeoutMs);
    // A task may have become ready between the asker's own look and now.
    if (this.#ready.candidates(1, asker.filter).length > 0) this.#offerSoon();
    else this.#scheduleDue();
    return (await answer) ?? [];
  }

  #taskChanged({ after }: TaskChange): void {
    if (after?.status !== "available" || this.#waiters.size === 0) return;
    if (after.notBefore !== null && after.notBefore > this.#clock.now()) this.#scheduleDue();
    else this.#offerSoon();
  }

  /** Once for all changes of this moment: a completion may make many tasks ready. */
  #offerSoon(): void {
    if (this.#offered) return;
    this.#offered = true;
    queueMicrotask(() => {
      this.#offered = false;
      this.#offer();
    });
  }

  /** Gives what is ready to those who wait, longest first. */
  #offer(): void {
    const ready = new Set<ReadyTask>();
    for (const { filter, count } of this.#waiters.filters()) {
      for (const task of this.#ready.candidates(count, filter)) ready.add(task);
    }
    for (const task of [...ready].sort(byUrgency)) {
      const waiter = this.#waiters.take((filter) => fits(task, filter));
      if (waiter !== null) this.#serve(waiter, task.taskId);
    }
    this.#scheduleDue();
  }

  #serve(waiter: Waiter<Asker, Claimed[]>, taskId: string): void {
    const serve = async (): Promise<void> => {
      const first = await this.#ready.take(taskId, waiter.asker);
      if (first === null) {
        this.#waiters.putBack(waiter);
        // What became ready meanwhile was offered to others only.
        this.#offerSoon();
        return;
      }
      const max = waiter.asker.max - 1;
      const more = max > 0 ? await this.#ready.claimBest({ ...waiter.asker, max }) : [];
      waiter.answer([first, ...more]);
    };
    serve().catch((error: unknown) => {
      waiter.fail(error);
    });
  }

  /** Looks again when the next delayed task falls due. */
  #scheduleDue(): void {
    const dueAt = this.#tasks.ready.nextDueAt();
    if (dueAt === null || this.#stopped || (this.#dueTimer !== null && dueAt >= this.#dueAt))
      return;
    if (this.#dueTimer !== null) clearTimeout(this.#dueTimer);
    this.#dueAt = dueAt;
    const delay = Math.min(Math.max(0, dueAt - this.#clock.now()) + 1, MAX_TIMER_MS);
    this.#dueTimer = setTimeout(() => {
      this.#dueTimer = null;
      if (this.#waiters.size > 0) this.#offer();
    }, delay);
  }
}

function fits(task: ReadyTask, filter: ReadyFilter): boolean {
  return (
    task.taskId.startsWith(filter.prefix) &&
    hasTags(task.tags, filter.tags) &&
    missingCapabilities(task.requires, filter.capabilities).length === 0
  );
}
