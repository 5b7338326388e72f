/**
 * `next` requests that wait for a task to become ready.
 *
 * What becomes ready goes to the request that has waited longest; among those of one session the
 * newest comes first, since an older one may belong to a client that has given up. Requests that are left
 * behind end: those of a session that was unregistered or replaced, those whose connection is lost, and those whose
 * client turns out to be absent when a task could be claimed for it.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import { hasTags, missingCapabilities } from "../task/eligibility.ts";
import { isClaimOf } from "../task/holder.ts";
import { byUrgency, type ReadyFilter, type ReadyTask } from "../task/ready-queue.ts";
import { AbsentClients } from "./absent-clients.ts";
import type { Claimed } from "./claims.ts";
import { isSameConnection } from "./connection-key.ts";
import type { NextRequest } from "./next-request.ts";
import type { Clock, ConnectionId, ServiceContext } from "./ports.ts";
import type { ReadyClaims } from "./ready-claims.ts";
import type { SessionChange } from "./session-index.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import { ParkedQueue } from "./parked-queue.ts";

/** When a task whose claim failed for want of the store is offered again. */
const AGAIN_MS = 100;

export class ParkedRequests {
  readonly #ready: ReadyClaims;
  readonly #tasks: TaskIndex;
  readonly #maxWaiting: number;
  readonly #clock: Clock;
  readonly #queue = new ParkedQueue<NextRequest, Claimed[]>();
  readonly #absent: AbsentClients;
  #dueTimer: ReturnType<typeof setTimeout> | null = null;
  #dueAt = Infinity;
  /** Tasks that have become ready in this moment. */
  readonly #offers = new Set<string>();
  #stopped = false;

  constructor(ready: ReadyClaims, tasks: TaskIndex, { settings, clock }: ServiceContext) {
    this.#ready = ready;
    this.#tasks = tasks;
    this.#maxWaiting = settings.maxWaiting;
    this.#clock = clock;
    this.#absent = new AbsentClients(this.#queue, clock);
    tasks.onChange((change) => {
      this.#taskChanged(change);
    });
    tasks.ready.onDue((taskId) => {
      this.#offer(taskId);
    });
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Ends every wait, without a claim, and lets nobody wait from now on. */
  stop(): void {
    this.#stopped = true;
    if (this.#dueTimer !== null) clearTimeout(this.#dueTimer);
    this.#queue.dismissAll();
  }

  /** Whoever waits for a session that was unregistered, or as an instance before, waits in vain. */
  sessionChanged({ sessionId, after, isUnregistered }: SessionChange): void {
    for (const parked of this.#queue.ofSession(sessionId)) {
      const { instance } = parked.request;
      const registered = after?.instance ?? null;
      const isReplaced = instance !== null && registered !== null && instance !== registered;
      if (isUnregistered || isReplaced) parked.answer([]);
    }
  }

  /** The connection is lost for good: a claim that names it would be taken back. */
  disconnected(connection: ConnectionId): void {
    const isOnIt = (request: NextRequest): boolean =>
      isSameConnection(request.connection, connection);
    for (const parked of this.#queue.oldest(Infinity, isOnIt)) parked.answer([]);
  }

  /**
   * Resolves with claims, with none if the request was left behind, or with `null` when the time is over.
   *
   * @throws CoordinatorError `overloaded`
   */
  async park(request: NextRequest, timeoutMs: number): Promise<Claimed[] | null> {
    if (this.#stopped) return null;
    if (this.#queue.size >= this.#maxWaiting) {
      void this.#absent.end();
      throw new CoordinatorError("overloaded", "too many requests are waiting: ask again later");
    }
    if (this.#hasClaim(request)) throw sentAgain();
    if (request.requestId !== null) this.#supersede(request.sessionId, request.requestId);
    this.#absent.believe(request);
    const answer = this.#queue.park(request, timeoutMs);
    this.#offerBest(request);
    return answer;
  }

  #taskChanged({ taskId, after }: TaskChange): void {
    if (after === null || this.#queue.size === 0) return;
    // Claimed for a repetition of a request that waits here, by another worker.
    if (after.claimedBy !== null && after.claimRequest !== null) {
      this.#supersede(after.claimedBy, after.claimRequest);
    }
    if (after.status !== "available") return;
    if (after.notBefore !== null && after.notBefore > this.#clock.now()) this.#scheduleDue();
    else this.#offer(taskId);
  }

  /** Ends the wait of a request that was sent again: whoever sent it no longer listens. */
  #supersede(sessionId: string, requestId: string): void {
    for (const parked of this.#queue.ofSession(sessionId)) {
      if (parked.request.requestId !== requestId) continue;
      parked.fail(sentAgain());
    }
  }

  /** Whether a task has been claimed for a repetition of the request meanwhile, by another worker. */
  #hasClaim({ sessionId, instance, requestId }: NextRequest): boolean {
    if (requestId === null) return false;
    return [...this.#tasks.claimRequests.get(requestId)].some((taskId) => {
      const task = this.#tasks.get(taskId)?.task;
      return task !== undefined && isClaimOf(task, sessionId, instance);
    });
  }

  /** Offers a task once the change that made it ready has been taken in everywhere. */
  #offer(taskId: string): void {
    if (this.#queue.size === 0) return;
    this.#offers.add(taskId);
    if (this.#offers.size > 1) return;
    queueMicrotask(() => {
      const offers = [...this.#offers];
      this.#offers.clear();
      for (const task of this.#ready.free(offers).sort(byUrgency)) this.#give(task);
    });
  }

  /** Gives a ready task to the one who has waited longest of those who can take it. */
  #give(task: ReadyTask): void {
    const parked = this.#queue.take((filter) => fits(task, filter));
    if (parked === null) return;
    const { taskId } = task;
    const serve = async (): Promise<void> => {
      const isAbsent = (request: NextRequest): Promise<boolean> => this.#absent.isAbsent(request);
      const first = await this.#ready.takeUnless(isAbsent, taskId, parked.request);
      if (first === "absent") {
        parked.answer([]);
        await this.#absent.end();
        this.#offer(taskId);
        return;
      }
      if (first === null) {
        if (this.#hasClaim(parked.request)) throw sentAgain();
        this.#queue.putBack(parked);
        this.#offerBest(parked.request);
        return;
      }
      const max = parked.request.max - 1;
      const more = max > 0 ? await this.#ready.claimBest({ ...parked.request, max }, [first]) : [];
      parked.answer([first, ...more]);
    };
    serve().catch((error: unknown) => {
      parked.fail(error);
      // The task may still be there, for the next one who waits.
      setTimeout(() => {
        if (!this.#stopped) this.#offer(taskId);
      }, AGAIN_MS);
    });
  }

  /** What became ready while the request was taken out was offered to others only. */
  #offerBest(request: NextRequest): void {
    const [best] = this.#ready.candidates(1, request.filter);
    if (best === undefined) this.#scheduleDue();
    else this.#offer(best.taskId);
  }

  /** Looks again when the next delayed task falls due. */
  #scheduleDue(): void {
    const dueAt = this.#tasks.ready.nextDueAt();
    if (dueAt === null || this.#stopped) return;
    if (this.#dueTimer !== null && dueAt >= this.#dueAt) return;
    if (this.#dueTimer !== null) clearTimeout(this.#dueTimer);
    this.#dueAt = dueAt;
    // A task that is due later than a timer can run is looked at again then.
    const delay = Math.min(Math.max(0, dueAt - this.#clock.now()) + 1, MAX_TIMER_MS);
    this.#dueTimer = setTimeout(() => {
      this.#dueTimer = null;
      this.#tasks.ready.promoteDue(this.#clock.now());
      if (this.#queue.size > 0) this.#scheduleDue();
    }, delay);
  }
}

/** Asked again, a request that has claims already is answered with these. */
function sentAgain(): CoordinatorError {
  return new CoordinatorError(
    "conflict",
    "this request was sent again and is answered once: ask again if you have no answer",
  );
}

function fits(task: ReadyTask, filter: ReadyFilter): boolean {
  return (
    task.taskId.startsWith(filter.prefix) &&
    hasTags(task.tags, filter.tags) &&
    missingCapabilities(task.requires, filter.capabilities).length === 0
  );
}
