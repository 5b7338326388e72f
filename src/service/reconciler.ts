/**
 * Brings tasks into order: asks for each task that changes what is due, and does it when it is due. One thing at a
 * time for each task, and a limited number of tasks at once: for each stream, so that the work on one that does
 * not answer holds up no other.
 *
 * What is due is asked again when the work begins, because another worker may have done it by then, and after
 * each work. So a change of a task that is being worked on is never lost. What is still due right after it was
 * done (it failed, or another worker was faster) is tried again after a while.
 */
import type { FollowUp, Later } from "../task/follow-up.ts";
import { SortedList } from "../task/sorted-list.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import type { ServiceContext } from "./ports.ts";

/** One change can require work on thousands of tasks. This limit for each stream leaves room for requests. */
const MAX_BUSY = 64;
/** The stream without which the work cannot go on. */
const STREAM_OF = {
  grant: "leases",
  begin_again: "leases",
  purge: "leases",
  disconnect: "leases",
  replace: "sessions",
  expire: "tasks",
  settle_dependencies: "tasks",
  retire: "tasks",
} as const satisfies Record<FollowUp["kind"], string>;
/** All workers learn of a change at about the same moment. This spreads them, so that mostly one writes. */
const SPREAD_MS = { min: 10, max: 50 } as const;
const AGAIN_MS = 1_000;
/** Times to come are rounded up to this, so that many tasks share a timer, and their writes a packet. */
const TICK_MS = 5;

export interface Work {
  /** What is due for the task, by what this worker knows. Must not throw. */
  decide(taskId: string): FollowUp | Later | null;
  perform(taskId: string, action: FollowUp): Promise<void>;
}

interface Due {
  readonly at: number;
  /** Of tasks that are due at the same time, the one that was added first comes first. */
  readonly serial: number;
  readonly taskId: string;
}

/** Where the work on one stream is done. */
class Places {
  busy = 0;
  /** The tasks that found no place, the first one first. */
  readonly waiting = new Set<string>();
}

export class Reconciler {
  readonly #work: Work;
  readonly #context: Pick<ServiceContext, "clock" | "observe">;
  readonly #due = new SortedList<Due>((a, b) => a.at - b.at || a.serial - b.serial);
  readonly #dueOf = new Map<string, Due>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #places = { leases: new Places(), sessions: new Places(), tasks: new Places() };
  #serial = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #stopped = false;

  constructor(work: Work, context: Pick<ServiceContext, "clock" | "observe">) {
    this.#work = work;
    this.#context = context;
  }

  /** Looks at a task that this worker has changed itself: it knows first, so it acts at once. */
  now(taskId: string): void {
    this.#look(taskId, 0);
  }

  /** Looks at a task that has changed: another worker may act first. */
  soon(taskId: string): void {
    const { min, max } = SPREAD_MS;
    this.#look(taskId, min + this.#context.clock.random() * (max - min));
  }

  /** Resolves when the work under way has ended. No other begins. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#busy.values());
  }

  /** @param justDone what was done for the task last, if it has just ended */
  #look(taskId: string, delayMs: number, justDone?: FollowUp): void {
    if (this.#stopped || this.#busy.has(taskId)) return;
    const next = this.#work.decide(taskId);
    if (next === null) return;
    const now = this.#context.clock.steady();
    const at = next.kind === "again" ? Math.max(next.at, now) : now;
    this.#schedule(taskId, at + (next.kind === justDone?.kind ? AGAIN_MS : delayMs));
    this.#advance();
  }

  #schedule(taskId: string, time: number): void {
    const isLater = time > this.#context.clock.steady();
    const at = isLater ? Math.ceil(time / TICK_MS) * TICK_MS : time;
    const known = this.#dueOf.get(taskId);
    if (known !== undefined) {
      if (known.at <= at) return;
      this.#due.delete(known);
    }
    const due = { at, serial: this.#serial++, taskId };
    this.#dueOf.set(taskId, due);
    this.#due.set(due);
  }

  /** Begins what is due, and sets the timer to what comes next. */
  #advance(): void {
    const now = this.#context.clock.steady();
    for (;;) {
      const first = this.#due.first();
      if (first === undefined) return;
      if (first.at > now) {
        this.#wakeAt(first.at);
        return;
      }
      this.#due.delete(first);
      this.#dueOf.delete(first.taskId);
      this.#begin(first.taskId);
    }
  }

  #wakeAt(at: number): void {
    if (this.#timerAt === at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.min(at - this.#context.clock.steady(), MAX_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      this.#advance();
    }, delay);
  }

  #begin(taskId: string): void {
    if (this.#busy.has(taskId)) return;
    const action = this.#work.decide(taskId);
    if (action === null) return;
    if (action.kind === "again") {
      this.#schedule(taskId, action.at);
      return;
    }
    const places = this.#places[STREAM_OF[action.kind]];
    if (places.busy >= MAX_BUSY) {
      places.waiting.add(taskId);
      // By then, work on another stream may be due for the task.
      this.#schedule(taskId, this.#context.clock.steady() + AGAIN_MS);
      return;
    }
    places.busy++;
    const busy = this.#work
      .perform(taskId, action)
      .catch((cause: unknown) => {
        const what = `${action.kind} of ${taskId}`;
        this.#context.observe({ kind: "background_error", what, cause });
      })
      .then(() => {
        places.busy--;
        this.#busy.delete(taskId);
        if (this.#stopped) return;
        this.#fill(places);
        this.#look(taskId, 0, action);
        this.#advance();
      });
    this.#busy.set(taskId, busy);
  }

  #fill(places: Places): void {
    for (const taskId of places.waiting) {
      if (places.busy >= MAX_BUSY) return;
      places.waiting.delete(taskId);
      this.#begin(taskId);
    }
  }
}
