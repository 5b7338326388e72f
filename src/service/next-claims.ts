/**
 * `next`: hands out the best ready tasks, at once or as soon as there are some.
 *
 * An answer that nobody was there to receive gives its claims back. It can also be lost without
 * anybody noticing, when the client is still connected but has stopped listening. Two things let it
 * find its claim by asking again: the `request_id`, which gets the same claims however often it is
 * repeated, and, for claims made for a parked request without one, a single repetition to the same
 * session: the lease notes that its session knows of it.
 */
import type { Reply, Request } from "../protocol/operations.ts";
import { isoOrNull } from "../protocol/instants.ts";
import type { Claimed, Claims } from "./claims.ts";
import { connectionOf } from "./connection-key.ts";
import { FilteredCounts } from "./filtered-counts.ts";
import type { ParkedRequests } from "./parked-requests.ts";
import type { Answer, Observe, TaskStore } from "./ports.ts";
import type { NextRequest, ReadyClaims } from "./ready-claims.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskIndex } from "./task-index.ts";

export class NextClaims {
  readonly #claims: Claims;
  readonly #ready: ReadyClaims;
  readonly #parked: ParkedRequests;
  readonly #sessions: Sessions;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #counts: FilteredCounts;
  readonly #observe: Observe;

  constructor(
    claims: Claims,
    ready: ReadyClaims,
    parked: ParkedRequests,
    sessions: Sessions,
    store: TaskStore,
    tasks: TaskIndex,
    observe: Observe,
  ) {
    this.#claims = claims;
    this.#ready = ready;
    this.#parked = parked;
    this.#sessions = sessions;
    this.#store = store;
    this.#tasks = tasks;
    this.#counts = new FilteredCounts(tasks);
    this.#observe = observe;
  }

  async next(body: Request<"tasks.next">, isListening?: () => Promise<boolean>): Promise<Answer> {
    let request: NextRequest = { ...this.#requestOf(body), isListening };
    const earlier = await this.#earlierClaims(body);
    if (earlier.length > 0) return this.#answer(request, earlier);

    let claimed = await this.#ready.claimBest(request);
    if (claimed.length === 0 && this.#tasks.ready.withheld(request.filter).capabilities > 0) {
      // The session may have registered a moment ago, with another worker.
      const { session_id: sessionId, capabilities: named } = body;
      const capabilities = await this.#sessions.freshCapabilitiesOf(sessionId, named);
      request = { ...request, filter: { ...request.filter, capabilities } };
      claimed = await this.#ready.claimBest(request);
    }
    if (claimed.length > 0) return { ...this.#answer(request, claimed), claimedAtOnce: true };
    if (body.wait_seconds > 0) {
      const claimRequest = request.claimRequest ?? parkedBy(request.sessionId);
      const waiting = { ...request, claimRequest };
      const given = await this.#parked.park(waiting, body.wait_seconds * 1000);
      if (given !== null && given.length > 0) return this.#answer(request, given);
      // It may have been replaced while it waited.
      const { session_id: sessionId, instance } = body;
      if (instance !== undefined) await this.#sessions.requireInstance(sessionId, instance);
      if (given !== null) return { body: LEFT_BEHIND };
    }
    // Nothing: confirmed against the store before the client is told so.
    await this.#tasks.position.catchUp(this.#store);
    claimed = await this.#ready.claimBest(request);
    return this.#answer(request, claimed);
  }

  #requestOf(body: Request<"tasks.next">): NextRequest {
    const { session_id: sessionId, request_id: requestId } = body;
    return {
      sessionId,
      instance: body.instance ?? null,
      ttlSeconds: body.ttl_seconds,
      max: body.max,
      filter: {
        capabilities: this.#sessions.capabilitiesOf(sessionId, body.capabilities),
        tags: body.tags,
        prefix: body.prefix,
      },
      requestId: requestId ?? null,
      connection: connectionOf(body.release_on_disconnect),
      claimRequest: requestId ?? null,
    };
  }

  /** What the same session was given before and has to find again. */
  async #earlierClaims(body: Request<"tasks.next">): Promise<Claimed[]> {
    const { session_id: sessionId, instance = null, request_id: requestId } = body;
    // A repetition comes after its sender gave up waiting, long after the watch has brought the claim;
    // unless the watch itself is just starting.
    if (!this.#tasks.isCurrent) await this.#tasks.position.catchUp(this.#store);
    const connection = connectionOf(body.release_on_disconnect);
    const found: Claimed[] = [];
    for (const taskId of [...this.#tasks.claimRequests.get(requestId ?? parkedBy(sessionId))]) {
      const task = this.#tasks.get(taskId)?.task;
      if (task?.claimedBy !== sessionId) continue;
      const holder = { sessionId, instance, attempt: task.attempt };
      const claim =
        requestId === undefined
          ? await this.#claims.ifUnconfirmed(taskId, holder, connection)
          : await this.#claims.ifHeld(taskId, holder, connection);
      if (claim !== null) found.push(claim);
    }
    return found;
  }

  #answer(request: NextRequest, claims: Claimed[]): Answer {
    if (claims.length === 0) return { body: this.#nothing(request) };
    const body: Reply<"tasks.next"> = { ok: true, claims, reasons: {}, next_due_at: null };
    // A claim that is answered for the second time may have been received the first time.
    const fresh = claims.filter((claim) => !claim.already_held);
    if (fresh.length === 0) return { body };
    return {
      body,
      undelivered: () => {
        this.#giveBack(request, fresh);
      },
    };
  }

  /** Why there is nothing, by reason and count: of what its prefix and tags let through. */
  #nothing({ filter }: NextRequest): Reply<"tasks.next"> {
    const blocked = this.#counts.of("blocked", filter);
    const claimed = this.#counts.of("claimed", filter);
    const { capabilities, tags, prefix, notDue, nextDueAt } = this.#tasks.ready.withheld(filter);
    const counts = { blocked, claimed, capabilities, tags, prefix, not_due: notDue };
    const reasons = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    return { ok: true, claims: [], reasons, next_due_at: isoOrNull(nextDueAt) };
  }

  #giveBack({ sessionId, instance }: NextRequest, claims: readonly Claimed[]): void {
    for (const { task, attempt } of claims) {
      const holder = { sessionId, instance, attempt };
      this.#claims.giveBack(task.task_id, holder).catch((cause: unknown) => {
        this.#observe({ kind: "background_error", what: `return of ${task.task_id}`, cause });
      });
    }
  }
}

/** Nobody waits for it, or in vain: it is not worth a count of what there is. */
const LEFT_BEHIND: Reply<"tasks.next"> = { ok: true, claims: [], reasons: {}, next_due_at: null };

/** Marks a claim that was made for a parked request without a `request_id`. */
function parkedBy(sessionId: string): string {
  return `parked:${sessionId}`;
}
