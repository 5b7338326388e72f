/**
 * `next`: hands out the best ready tasks, at once or as soon as there are some.
 *
 * A request that finds nothing and may wait is parked here. Tasks that become ready go to the parked
 * request that has waited longest; among those of one session the newest comes first, since an older
 * one may belong to an asker who has given up. An answer that nobody was there to receive gives its
 * claims back.
 *
 * An answer can also be lost without anybody noticing, when the asker is still connected but has
 * stopped listening. Two things let it find its claim by asking again: the `request_id`, which gets
 * the same claims however often it is repeated, and, for claims made for a parked request without
 * one, a single repetition to the same session.
 */
import type { Reply, Request } from "../protocol/operations.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import { isoOrNull } from "../protocol/task-record.ts";
import { hasTags, missingCapabilities } from "../task/eligibility.ts";
import { byUrgency, type ReadyFilter, type ReadyTask } from "../task/ready-queue.ts";
import type { Claimed, Claims } from "./claims.ts";
import type { Answer, Clock, Observe, ServiceSettings, TaskStore } from "./ports.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import { type Waiter, WaiterQueue } from "./waiter-queue.ts";

/** After a lost race, the next candidate is drawn from this many, so that workers part ways. */
const SPREAD = 8;
/** Timers take no longer delays; a task that is due later is looked at again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Asker {
  readonly sessionId: string;
  readonly ttlSeconds: number | undefined;
  readonly max: number;
  readonly filter: ReadyFilter;
  /** Kept in the record, so that a repeated request finds its claims. */
  readonly claimRequest: string | null;
}

export class NextClaims {
  readonly #claims: Claims;
  readonly #sessions: Sessions;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #waiters = new WaiterQueue<Asker, Claimed[]>();
  /** Tasks for which a claim is under way here: not to be proposed to anybody else. */
  readonly #underway = new Set<string>();
  /** Attempts, by task, whose answer was already repeated. */
  readonly #repeated = new Map<string, number>();
  #dueTimer: ReturnType<typeof setTimeout> | null = null;
  #dueAt = Infinity;
  #offered = false;
  #stopped = false;

  constructor(
    claims: Claims,
    sessions: Sessions,
    store: TaskStore,
    tasks: TaskIndex,
    settings: ServiceSettings,
    clock: Clock,
    observe: Observe,
  ) {
    this.#claims = claims;
    this.#sessions = sessions;
    this.#store = store;
    this.#tasks = tasks;
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
    tasks.onChange((change) => {
      this.#taskChanged(change);
    });
  }

  /** Parked requests. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Answers every parked request with what there is: nothing. */
  stop(): void {
    this.#stopped = true;
    if (this.#dueTimer !== null) clearTimeout(this.#dueTimer);
    this.#waiters.dismissAll();
  }

  async next(request: Request<"tasks.next">): Promise<Answer> {
    const asker = this.#askerOf(request);
    const earlier = await this.#earlierClaims(request);
    if (earlier.length > 0) return this.#answer(asker, earlier);

    let claimed = await this.#claimReady(asker);
    if (claimed.length === 0 && !this.#stopped) {
      claimed = request.wait_seconds > 0 ? await this.#park(asker, request) : [];
    }
    if (claimed.length > 0) return this.#answer(asker, claimed);

    // Nothing: confirmed against the store before the asker is told so.
    await this.#tasks.progress.catchUp(this.#store);
    return this.#answer(asker, await this.#claimReady(asker));
  }

  #askerOf(request: Request<"tasks.next">): Asker {
    const { session_id: sessionId, request_id: requestId } = request;
    return {
      sessionId,
      ttlSeconds: request.ttl_seconds,
      max: request.max,
      filter: {
        capabilities: this.#sessions.capabilitiesOf(sessionId, request.capabilities),
        tags: request.tags,
        prefix: request.prefix,
      },
      claimRequest: requestId ?? null,
    };
  }

  /** What the same session was given before and has to find again. */
  async #earlierClaims(request: Request<"tasks.next">): Promise<Claimed[]> {
    const { session_id: sessionId, request_id: requestId } = request;
    if (requestId !== undefined) await this.#tasks.progress.catchUp(this.#store);
    const found: Claimed[] = [];
    for (const taskId of [...this.#tasks.claims.get(sessionId)]) {
      const task = this.#tasks.get(taskId)?.task;
      if (task === undefined || task.claimRequest === null) continue;
      if (requestId === undefined) {
        if (task.claimRequest !== parkedBy(sessionId)) continue;
        if (this.#repeated.get(taskId) === task.attempt) continue;
        this.#repeated.set(taskId, task.attempt);
      } else if (task.claimRequest !== requestId) continue;
      const claim = await this.#claims.ifHeld(taskId, sessionId, task.attempt);
      if (claim !== null) found.push(claim);
    }
    return found;
  }

  /** Claims up to `max` ready tasks; fewer or none if there are no more. */
  async #claimReady(asker: Asker): Promise<Claimed[]> {
    this.#tasks.ready.promoteDue(this.#clock.now());
    const claimed: Claimed[] = [];
    let lostRaces = 0;
    while (claimed.length < asker.max) {
      const wanted = asker.max - claimed.length;
      const isFree = (taskId: string): boolean => !this.#underway.has(taskId);
      const spread = lostRaces === 0 ? 0 : SPREAD;
      const candidates = this.#tasks.ready.best(wanted + spread, asker.filter, isFree);
      const chosen = spread === 0 ? candidates : this.#draw(candidates, wanted);
      if (chosen.length === 0) break;
      const taken = await Promise.allSettled(chosen.map((task) => this.#take(task.taskId, asker)));
      for (const result of taken) {
        if (result.status === "fulfilled" && result.value !== null) claimed.push(result.value);
        else lostRaces++;
      }
      const failure = taken.find((result) => result.status === "rejected");
      if (failure === undefined) continue;
      // What was claimed must reach the asker all the same.
      if (claimed.length === 0) throw failure.reason;
      break;
    }
    return claimed;
  }

  /** `null`: somebody else was faster. */
  async #take(taskId: string, asker: Asker): Promise<Claimed | null> {
    this.#underway.add(taskId);
    try {
      return await this.#claims.take(taskId, {
        sessionId: asker.sessionId,
        ttlSeconds: asker.ttlSeconds,
        capabilities: asker.filter.capabilities,
        claimRequest: asker.claimRequest,
        once: true,
      });
    } catch (error) {
      if (error instanceof CoordinatorError && !["unavailable", "internal"].includes(error.code)) {
        return null;
      }
      throw error;
    } finally {
      this.#underway.delete(taskId);
    }
  }

  #draw(candidates: ReadyTask[], count: number): ReadyTask[] {
    const drawn: ReadyTask[] = [];
    while (drawn.length < count && candidates.length > 0) {
      drawn.push(...candidates.splice(Math.floor(this.#clock.random() * candidates.length), 1));
    }
    return drawn;
  }

  async #park(asker: Asker, request: Request<"tasks.next">): Promise<Claimed[]> {
    if (this.#waiters.size >= this.#settings.maxWaiting) {
      throw new CoordinatorError("overloaded", "too many requests are waiting: ask again later");
    }
    const parked = { ...asker, claimRequest: asker.claimRequest ?? parkedBy(asker.sessionId) };
    this.#scheduleDue();
    return (await this.#waiters.wait(parked, request.wait_seconds * 1000)) ?? [];
  }

  #taskChanged({ taskId, after }: TaskChange): void {
    if (after?.status !== "claimed") this.#repeated.delete(taskId);
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
    this.#tasks.ready.promoteDue(this.#clock.now());
    const isFree = (taskId: string): boolean => !this.#underway.has(taskId);
    // Askers with the same filter wait for the same tasks: one look for all of them.
    const filters = new Map<string, { readonly filter: ReadyFilter; count: number }>();
    for (const { filter } of this.#waiters.askers()) {
      const key = JSON.stringify(filter);
      const same = filters.get(key);
      if (same === undefined) filters.set(key, { filter, count: 1 });
      else same.count++;
    }
    const ready = new Set<ReadyTask>();
    for (const { filter, count } of filters.values()) {
      for (const task of this.#tasks.ready.best(count, filter, isFree)) ready.add(task);
    }
    for (const task of [...ready].sort(byUrgency)) {
      const waiter = this.#waiters.take((asker) => fits(task, asker.filter));
      if (waiter !== null) this.#serve(waiter, task.taskId);
    }
    this.#scheduleDue();
  }

  #serve(waiter: Waiter<Asker, Claimed[]>, taskId: string): void {
    const serve = async (): Promise<void> => {
      const first = await this.#take(taskId, waiter.asker);
      if (first === null) {
        this.#waiters.putBack(waiter);
        // What became ready meanwhile was offered to others only.
        this.#offerSoon();
        return;
      }
      const max = waiter.asker.max - 1;
      const more = max > 0 ? await this.#claimReady({ ...waiter.asker, max }) : [];
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

  #answer(asker: Asker, claims: Claimed[]): Answer {
    const counts = this.#tasks.counts();
    const withheld = this.#tasks.ready.withheld(asker.filter);
    const reasons = {
      blocked: counts.blocked,
      claimed: counts.claimed,
      capabilities: withheld.capabilities,
      tags: withheld.tags,
      prefix: withheld.prefix,
      not_due: withheld.notDue,
    };
    const body: Reply<"tasks.next"> = {
      ok: true,
      claims,
      reasons:
        claims.length > 0
          ? {}
          : Object.fromEntries(Object.entries(reasons).filter(([, count]) => count > 0)),
      next_due_at: claims.length > 0 ? null : isoOrNull(withheld.nextDueAt),
    };
    // A claim that is answered for the second time may have been received the first time.
    const fresh = claims.filter((claim) => !claim.already_held);
    if (fresh.length === 0) return { body };
    return {
      body,
      undelivered: () => {
        this.#giveBack(asker.sessionId, fresh);
      },
    };
  }

  #giveBack(sessionId: string, claims: readonly Claimed[]): void {
    for (const { task, attempt } of claims) {
      this.#claims.giveBack(task.task_id, sessionId, attempt).catch((cause: unknown) => {
        this.#observe({ kind: "background_error", what: `return of ${task.task_id}`, cause });
      });
    }
  }
}

/** Marks a claim that was made for a parked request without a `request_id`. */
function parkedBy(sessionId: string): string {
  return `parked:${sessionId}`;
}

function fits(task: ReadyTask, filter: ReadyFilter): boolean {
  return (
    task.taskId.startsWith(filter.prefix) &&
    hasTags(task.tags, filter.tags) &&
    missingCapabilities(task.requires, filter.capabilities).length === 0
  );
}
