/**
 * `next`: hands out the best ready tasks, at once or as soon as there are some.
 *
 * An answer that nobody was there to receive gives its claims back. It can also be lost without
 * anybody noticing, when the asker is still connected but has stopped listening. Two things let it
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
import type { Asker, ReadyClaims } from "./ready-claims.ts";
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

  async next(
    request: Request<"tasks.next">,
    isListening?: () => Promise<boolean>,
  ): Promise<Answer> {
    let asker: Asker = { ...this.#askerOf(request), isListening };
    const earlier = await this.#earlierClaims(request);
    if (earlier.length > 0) return this.#answer(asker, earlier);

    let claimed = await this.#ready.claimBest(asker);
    if (claimed.length === 0 && this.#tasks.ready.withheld(asker.filter).capabilities > 0) {
      // The session may have registered a moment ago, with another worker.
      const { session_id: sessionId, capabilities: named } = request;
      const capabilities = await this.#sessions.freshCapabilitiesOf(sessionId, named);
      asker = { ...asker, filter: { ...asker.filter, capabilities } };
      claimed = await this.#ready.claimBest(asker);
    }
    if (claimed.length > 0) return { ...this.#answer(asker, claimed), claimedAtOnce: true };
    if (request.wait_seconds > 0) {
      const claimRequest = asker.claimRequest ?? parkedBy(asker.sessionId);
      const waiting = { ...asker, claimRequest };
      const given = await this.#parked.wait(waiting, request.wait_seconds * 1000);
      if (given !== null && given.length > 0) return this.#answer(asker, given);
      // It may have been replaced while it waited.
      const { session_id: sessionId, instance } = request;
      if (instance !== undefined) await this.#sessions.requireInstance(sessionId, instance);
      if (given !== null) return { body: LEFT_BEHIND };
    }
    // Nothing: confirmed against the store before the asker is told so.
    await this.#tasks.position.catchUp(this.#store);
    claimed = await this.#ready.claimBest(asker);
    return this.#answer(asker, claimed);
  }

  #askerOf(request: Request<"tasks.next">): Asker {
    const { session_id: sessionId, request_id: requestId } = request;
    return {
      sessionId,
      instance: request.instance ?? null,
      ttlSeconds: request.ttl_seconds,
      max: request.max,
      filter: {
        capabilities: this.#sessions.capabilitiesOf(sessionId, request.capabilities),
        tags: request.tags,
        prefix: request.prefix,
      },
      requestId: requestId ?? null,
      connection: connectionOf(request.release_on_disconnect),
      claimRequest: requestId ?? null,
    };
  }

  /** What the same session was given before and has to find again. */
  async #earlierClaims(request: Request<"tasks.next">): Promise<Claimed[]> {
    const { session_id: sessionId, instance = null, request_id: requestId } = request;
    // A repetition comes after its sender gave up waiting, long after the watch has brought the claim;
    // unless the watch itself is just starting.
    if (!this.#tasks.isCurrent) await this.#tasks.position.catchUp(this.#store);
    const connection = connectionOf(request.release_on_disconnect);
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

  #answer(asker: Asker, claims: Claimed[]): Answer {
    if (claims.length === 0) return { body: this.#nothing(asker) };
    const body: Reply<"tasks.next"> = { ok: true, claims, reasons: {}, next_due_at: null };
    // A claim that is answered for the second time may have been received the first time.
    const fresh = claims.filter((claim) => !claim.already_held);
    if (fresh.length === 0) return { body };
    return {
      body,
      undelivered: () => {
        this.#giveBack(asker, fresh);
      },
    };
  }

  /** Why there is nothing, by reason and count: of what its prefix and tags let through. */
  #nothing({ filter }: Asker): Reply<"tasks.next"> {
    const blocked = this.#counts.of("blocked", filter);
    const claimed = this.#counts.of("claimed", filter);
    const { capabilities, tags, prefix, notDue, nextDueAt } = this.#tasks.ready.withheld(filter);
    const counts = { blocked, claimed, capabilities, tags, prefix, not_due: notDue };
    const reasons = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    return { ok: true, claims: [], reasons, next_due_at: isoOrNull(nextDueAt) };
  }

  #giveBack({ sessionId, instance }: Asker, claims: readonly Claimed[]): void {
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
