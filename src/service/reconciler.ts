/**
 * Brings tasks into order, one after the other: asks for each task what is due, and does it.
 *
 * A task is in one of these states:
 *
 * idle     Nothing is due.
 * due      Something is due at a time. An earlier time replaces a later one.
 * queued   It waits until fewer tasks are busy.
 * busy     Its work is being done. If the task changes meanwhile, it is looked at again afterwards.
 *
 * What is due is always asked for when the work begins, because other workers may have done it by then. So a
 * worker that learns of a change from others waits for a moment (`SPREAD_MS`). Work that fails, or that changes
 * nothing, is tried again after a while.
 */
import type { FollowUp, Later } from "../task/follow-up.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import type { Clock, Observe } from "./ports.ts";

/** One change can require work on thousands of tasks. This limit leaves room for requests. */
const MAX_BUSY = 64;
/** All workers learn of a change at about the same moment. This spreads them, so that mostly one writes. */
const SPREAD_MS = { min: 10, max: 50 } as const;
const AGAIN_MS = 1_000;
/** Times are rounded up to this, so that many tasks share a timer, and their writes a packet. */
const TICK_MS = 5;

export interface Work {
  /** What is due for the task, by what this worker knows. Must not throw. */
  decide(taskId: string): FollowUp | Later | null;
  /** Does it. Resolves with whether this changed anything. */
  perform(taskId: string, action: FollowUp): Promise<boolean>;
}

export class Reconciler {
  readonly #work: Work;
  readonly #clock: Clock;
  readonly #observe: Observe;
  /** When a task is due, as the number of a tick. */
  readonly #due = new Map<string, number>();
  /** The same by tick. A task that has become due earlier is still listed under its later tick. */
  readonly #ticks = new Map<number, string[]>();
  readonly #queue = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Busy tasks that have changed meanwhile. */
  readonly #changed = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerTick = Infinity;
  #stopped = false;

  constructor(
    work: Work,
    { clock, observe }: { readonly clock: Clock; readonly observe: Observe },
  ) {
    this.#work = work;
    this.#clock = clock;
    this.#observe = observe;
  }

  /** Looks at a task that this worker has changed itself: it knows first, so it acts at once. */
  now(taskId: string): void {
    this.#look(taskId, 0);
  }

  /** Looks at a task that has changed: another worker may act first. */
  soon(taskId: string): void {
    const { min, max } = SPREAD_MS;
    this.#look(taskId, min + this.#clock.random() * (max - min));
  }

  /** Resolves when the work under way has ended. No other begins. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queue.clear();
    await Promise.all(this.#busy.values());
  }

  /** Asks what is due. It is done after `delayMs`; later, if it is what has `justDone` nothing to help. */
  #look(taskId: string, delayMs: number, justDone?: FollowUp["kind"]): void {
    if (this.#stopped) return;
    if (this.#busy.has(taskId)) {
      this.#changed.add(taskId);
      return;
    }
    const decision = this.#work.decide(taskId);
    if (decision === null) return;
    const now = this.#clock.now();
    const at = decision.kind === "again" ? decision.at : now;
    const wait = decision.kind === justDone ? AGAIN_MS : delayMs;
    if (at <= now && wait === 0) this.#enqueue(taskId);
    else this.#schedule(taskId, Math.max(at, now) + wait);
  }

  #schedule(taskId: string, at: number): void {
    const tick = Math.ceil(at / TICK_MS);
    if (tick >= (this.#due.get(taskId) ?? Infinity)) return;
    this.#due.set(taskId, tick);
    const same = this.#ticks.get(tick);
    if (same === undefined) this.#ticks.set(tick, [taskId]);
    else same.push(taskId);
    if (tick < this.#timerTick) this.#startTimer(tick);
  }

  #startTimer(tick: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerTick = tick;
    if (tick === Infinity) this.#timer = null;
    else {
      const delay = Math.max(0, tick * TICK_MS - this.#clock.now());
      this.#timer = setTimeout(
        () => {
          this.#ring();
        },
        Math.min(delay, MAX_TIMER_MS),
      );
    }
  }

  /** Queues what is due. Whether it still has to be done is asked then. */
  #ring(): void {
    const now = Math.floor(this.#clock.now() / TICK_MS);
    let next = Infinity;
    for (const [tick, taskIds] of this.#ticks) {
      if (tick > now) {
        next = Math.min(next, tick);
        continue;
      }
      this.#ticks.delete(tick);
      for (const taskId of taskIds) {
        if (this.#due.get(taskId) !== tick) continue;
        this.#due.delete(taskId);
        this.#enqueue(taskId);
      }
    }
    this.#startTimer(next);
  }

  #enqueue(taskId: string): void {
    this.#due.delete(taskId);
    if (this.#busy.has(taskId)) this.#changed.add(taskId);
    else this.#queue.add(taskId);
    this.#advance();
  }

  #advance(): void {
    for (const taskId of this.#queue) {
      if (this.#busy.size >= MAX_BUSY || this.#stopped) return;
      this.#queue.delete(taskId);
      const decision = this.#work.decide(taskId);
      if (decision === null) continue;
      if (decision.kind === "again") this.#schedule(taskId, decision.at);
      else this.#begin(taskId, decision);
    }
  }

  #begin(taskId: string, action: FollowUp): void {
    const end = (delayMs: number): void => {
      this.#busy.delete(taskId);
      this.#changed.delete(taskId);
      this.#look(taskId, delayMs, action.kind);
      this.#advance();
    };
    const busy = this.#work.perform(taskId, action).then(
      (hasDone) => {
        end(hasDone || this.#changed.has(taskId) ? 0 : AGAIN_MS);
      },
      (cause: unknown) => {
        this.#observe({ kind: "background_error", what: `${action.kind} of ${taskId}`, cause });
        end(AGAIN_MS);
      },
    );
    this.#busy.set(taskId, busy);
  }
}
