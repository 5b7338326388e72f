/**
 * Parks `next` requests until a task becomes ready for them.
 *
 * A task that becomes ready goes to the sender whose turn it is (`waiting-turns.ts`), and there to the
 * request that has waited longest. Among the requests of one session the newest comes first, because the
 * client may have given up an older one.
 *
 * A request that is left behind ends without a claim: if its session was unregistered or replaced, if
 * its connection was lost, or if its client turns out to be absent when a task could be claimed for it.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import { isClaimOf } from "../task/holder.ts";
import { byUrgency, type ReadyTask } from "../task/ready-queue.ts";
import { AbsentClients } from "./absent-clients.ts";
import type { Claimant, ClaimLimits } from "./claim-limits.ts";
import type { Claimed } from "./claimed.ts";
import { connectionKey } from "./connection-key.ts";
import type { NextRequest } from "./next-request.ts";
import type { Clock, ConnectionId, ServiceContext } from "./ports.ts";
import type { PrincipalRules } from "./principal-rules.ts";
import type { ReadyClaims } from "./ready-claims.ts";
import type { SessionChange } from "./session-index.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import { ParkedQueue } from "./parked-queue.ts";
import { ParkingLimits } from "./parking-limits.ts";

/** So many parked requests of an agent that may claim again are offered a task. */
const SOME = 100;
/** So often, in milliseconds, an agent that may claim again is offered tasks. */
const ROOM_MS = 20;
/** A task whose claim failed because the store did not answer is offered again after this time. */
const AGAIN_MS = 100;

interface ServingParts {
  readonly ready: ReadyClaims;
  readonly claimLimits: ClaimLimits;
  readonly rules: PrincipalRules;
}

export class ParkedRequests {
  readonly #ready: ReadyClaims;
  readonly #claimLimits: ClaimLimits;
  readonly #tasks: TaskIndex;
  readonly #limits: ParkingLimits;
  readonly #clock: Clock;
  readonly #queue = new ParkedQueue<NextRequest, Claimed[]>(connectionsOf);
  readonly #absent: AbsentClients;
  #dueTimer: ReturnType<typeof setTimeout> | null = null;
  #dueAt = Infinity;
  /** Tasks that have become ready and are offered in the next microtask. */
  readonly #offers = new Set<string>();
  /** The senders that were offered tasks a moment ago, with their sessions that have had room since. */
  readonly #roomFor = new Map<string, Set<string>>();
  #stopped = false;

  constructor(
    { ready, claimLimits, rules }: ServingParts,
    tasks: TaskIndex,
    { settings, clock }: ServiceContext,
  ) {
    this.#ready = ready;
    this.#claimLimits = claimLimits;
    this.#tasks = tasks;
    this.#limits = new ParkingLimits(settings, rules);
    this.#clock = clock;
    this.#absent = new AbsentClients(this.#queue, clock);
    tasks.onChange((change) => {
      this.#taskChanged(change);
    });
    claimLimits.onRoom((claimant) => {
      this.#hasRoom(claimant);
    });
    tasks.ready.onDue((taskId) => {
      this.#offer(taskId);
    });
  }

  get size(): number {
    return this.#queue.size;
  }

  /** Ends every wait without a claim. From now on no request is parked. */
  stop(): void {
    this.#stopped = true;
    if (this.#dueTimer !== null) clearTimeout(this.#dueTimer);
    this.#absent.stop();
    this.#queue.dismissAll();
  }

  /** Ends the requests of a session that was unregistered, and those of a replaced instance. */
  sessionChanged({ sessionId, after, isUnregistered }: SessionChange): void {
    for (const parked of this.#queue.ofSession(sessionId)) {
      const { instance } = parked.request;
      const registered = after?.instance ?? null;
      const isReplaced = instance !== null && registered !== null && instance !== registered;
      if (isUnregistered || isReplaced) parked.answer([]);
    }
  }

  /**
   * Ends the requests that a client has sent or that name its connection, which is lost for good. Nobody would
   * receive the answers, or their claims would be taken back.
   */
  disconnected(connection: ConnectionId, client: string): void {
    for (const key of [client, connectionKey(connection)]) {
      for (const parked of this.#queue.ofConnection(key)) parked.answer([]);
    }
  }

  /** The request as it can be parked: thousands with the same filter share one copy of it. */
  toParked(request: NextRequest): NextRequest {
    return { ...request, filter: this.#queue.shared(request.filter), isParked: true };
  }

  /**
   * Resolves with claims, with no claim if the request is left behind, or with `null` when the time is
   * over.
   *
   * @throws CoordinatorError `overloaded`, `limit_reached`
   */
  async park(request: NextRequest, timeoutMs: number): Promise<Claimed[] | null> {
    if (this.#stopped) return null;
    if (this.#hasClaim(request)) throw sentAgain();
    if (request.requestId !== null) this.#supersede(request.sessionId, request.requestId);
    this.#requireRoom(request);
    this.#absent.noteListening(request);
    const answer = this.#queue.park(request, timeoutMs);
    this.#absent.watch();
    this.#offerBest(request);
    return answer;
  }

  /** @throws CoordinatorError `overloaded`, `limit_reached` */
  #requireRoom(request: NextRequest): void {
    const refusal = this.#limits.refusal(this.#queue.sizesOf(request), request);
    if (refusal !== null) {
      this.#absent.lookAfterRefusal(request.sender);
      throw refusal;
    }
    if (!this.#limits.isFull(this.#queue.size)) return;
    // Some of those who wait may have left.
    void this.#absent.search();
    const displaced = this.#queue.displacedBy(request.sender);
    if (displaced === null) throw tooManyWait();
    displaced.fail(tooManyWait());
  }

  #taskChanged({ taskId, after }: TaskChange): void {
    if (after === null || this.#queue.size === 0) return;
    // Another worker may have claimed it for a repetition of a request that is parked here.
    const claimRequest = after.claimedBy === null ? null : after.task.claimRequest;
    if (after.claimedBy !== null && claimRequest !== null) {
      this.#supersede(after.claimedBy, claimRequest);
    }
    if (after.status !== "available") return;
    if (after.notBefore !== null && after.notBefore > this.#clock.now()) this.#scheduleDue();
    else this.#offer(taskId);
  }

  /**
   * Offers tasks to those that were left out while they could claim nothing. An agent that holds as many tasks as
   * it may has room again with each one that it ends, so that is done at most every `ROOM_MS`.
   */
  #hasRoom({ sessionId, sender }: Claimant): void {
    const sessions = this.#roomFor.get(sender);
    if (sessions !== undefined) {
      sessions.add(sessionId);
      return;
    }
    this.#offerTo(sender, [sessionId]);
    const waiting = new Set<string>();
    this.#roomFor.set(sender, waiting);
    setTimeout(() => {
      this.#roomFor.delete(sender);
      if (waiting.size > 0 && !this.#stopped) this.#offerTo(sender, waiting);
    }, ROOM_MS).unref();
  }

  #offerTo(sender: string, sessions: Iterable<string>): void {
    if (this.#queue.size === 0) return;
    const ofSessions = [...sessions].flatMap((sessionId) => this.#queue.ofSession(sessionId));
    const some = this.#queue.oldestOf(sender, SOME, () => true);
    for (const { request } of [...ofSessions.slice(0, SOME), ...some]) this.#offerBest(request);
  }

  /** Ends the wait of a request that was sent again: its client waits for the repetition only. */
  #supersede(sessionId: string, requestId: string): void {
    for (const parked of this.#queue.ofSession(sessionId)) {
      if (parked.request.requestId !== requestId) continue;
      parked.fail(sentAgain());
    }
  }

  /** Whether another worker has claimed a task for a repetition of the request. */
  #hasClaim({ sessionId, instance, requestId }: NextRequest): boolean {
    if (requestId === null) return false;
    return [...this.#tasks.claimedFor(sessionId, requestId)].some((taskId) => {
      const task = this.#tasks.get(taskId)?.task;
      return task !== undefined && isClaimOf(task, sessionId, instance);
    });
  }

  /** Offers a task once all listeners have seen the change that made it ready. */
  #offer(taskId: string): void {
    if (this.#queue.size === 0) return;
    this.#offers.add(taskId);
    if (this.#offers.size > 1) return;
    queueMicrotask(() => {
      const offers = [...this.#offers];
      this.#offers.clear();
      for (const task of this.#ready.stillReady(offers).sort(byUrgency)) this.#give(task);
    });
  }

  /** Claims a ready task for the matching request whose turn it is. */
  #give(task: ReadyTask): void {
    const parked = this.#queue.take(task, (request) => this.#claimLimits.room(request) > 0);
    if (parked === null) return;
    const { taskId } = task;
    const serve = async (): Promise<void> => {
      const isAbsent = (request: NextRequest): Promise<boolean> => this.#absent.isAbsent(request);
      const first = await this.#ready.takeUnless(isAbsent, taskId, parked.request);
      if (first === "absent") {
        parked.answer([]);
        await this.#absent.endRequestsOf(parked.request.sender);
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
      // The task may still be ready for another request.
      setTimeout(() => {
        if (!this.#stopped) this.#offer(taskId);
      }, AGAIN_MS);
    });
  }

  /** Offers the best task to the request: while it was out of the queue, only other requests got offers. */
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
    // If the task is due after the longest time of a timer, the timer is set again then.
    const delay = Math.min(Math.max(0, dueAt - this.#clock.now()) + 1, MAX_TIMER_MS);
    this.#dueTimer = setTimeout(() => {
      this.#dueTimer = null;
      this.#tasks.ready.promoteDue(this.#clock.now());
      if (this.#queue.size > 0) this.#scheduleDue();
    }, delay);
  }
}

/** The connection on which the request came, and the one that it names. */
function connectionsOf({ client, connection }: NextRequest): string[] {
  return [
    ...(client === null ? [] : [client]),
    ...(connection === null ? [] : [connectionKey(connection)]),
  ];
}

function tooManyWait(): CoordinatorError {
  return new CoordinatorError("overloaded", "too many requests are waiting: ask again later");
}

/** Refuses the older of two requests with one id. If the client sends it again, it gets the claims that it has. */
function sentAgain(): CoordinatorError {
  return new CoordinatorError(
    "conflict",
    "this request was sent again and is answered once: ask again if you have no answer",
  );
}
