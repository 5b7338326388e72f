/**
 * `next`: claims the best ready tasks, at once or as soon as there are some.
 *
 * If nobody is there to receive an answer, its claims are given back. An answer can also be lost
 * unnoticed, when the client is still connected but has stopped listening. Then the client finds its
 * claims by asking again, in one of two ways. A request with a `request_id` gets the same claims each
 * time it is sent. A parked request without an id gets its claims repeated once, to the same session:
 * the lease notes that the session knows about its claim.
 */
import { isoOrNull } from "../protocol/instants.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import { isOfRole } from "../protocol/subjects.ts";
import type { Claimed } from "./claimed.ts";
import type { ClaimLimits } from "./claim-limits.ts";
import type { Claims } from "./claims.ts";
import { connectionOf } from "./connection-key.ts";
import { FilteredCounts } from "./filtered-counts.ts";
import { type Asker, type NextRequest, repeatKeyOf, toNextRequest } from "./next-request.ts";
import type { ParkedRequests } from "./parked-requests.ts";
import { requireSmallFilter } from "./parking-limits.ts";
import type { AnswerTo, Observe, ServiceContext, TaskStore } from "./ports.ts";
import type { ReadyClaims } from "./ready-claims.ts";
import type { ServiceSettings } from "./service-settings.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess } from "./task-writer.ts";

/** The parts that make claims for `next`. */
interface ClaimingParts {
  readonly claims: Claims;
  readonly claimLimits: ClaimLimits;
  readonly ready: ReadyClaims;
  readonly parked: ParkedRequests;
  readonly sessions: Sessions;
}

export class NextClaims {
  readonly #claims: Claims;
  readonly #limits: ClaimLimits;
  readonly #ready: ReadyClaims;
  readonly #parked: ParkedRequests;
  readonly #sessions: Sessions;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #counts: FilteredCounts;
  readonly #observe: Observe;
  readonly #settings: ServiceSettings;

  constructor(
    { claims, claimLimits, ready, parked, sessions }: ClaimingParts,
    { store, index }: TaskAccess,
    { observe, settings }: ServiceContext,
  ) {
    this.#claims = claims;
    this.#limits = claimLimits;
    this.#ready = ready;
    this.#parked = parked;
    this.#sessions = sessions;
    this.#store = store;
    this.#tasks = index;
    this.#counts = new FilteredCounts(index);
    this.#observe = observe;
    this.#settings = settings;
  }

  async next(body: Request<"tasks.next">, more: Asker): Promise<AnswerTo<"tasks.next">> {
    // A client repeats a request long after the watch has delivered its claim, unless the watch is
    // just starting.
    if (!this.#tasks.isCurrent) await this.#tasks.position.catchUp(this.#store);
    const repeatKey = repeatKeyOf(body.session_id, body.request_id ?? null);
    const taskIds = this.#tasks.claimedFor(body.session_id, repeatKey);
    if (taskIds.size > 0) {
      const earlier = await this.#earlierClaims(body, more.principal, [...taskIds]);
      if (earlier.length > 0) return this.#answer(body, earlier);
    }

    const { sender } = more;
    body.ttl_seconds = this.#limits.leaseSeconds(body.ttl_seconds, sender);
    await this.#limits.requireRoom({ sessionId: body.session_id, sender });
    let claimed = await this.#sessions.withCapabilities(
      body,
      (capabilities) => {
        const request = toNextRequest(body, capabilities, more);
        requireSmallFilter(request.filter, this.#settings.maxFilterBytes);
        return this.#ready.claimBest(request);
      },
      (result, capabilities) =>
        result.length === 0 && this.#tasks.ready.withholdsFrom(capabilities),
    );
    if (claimed.length > 0) return this.#answer(body, claimed);

    let request = toNextRequest(body, this.#sessions.capabilitiesOf(body), more);
    if (body.wait_seconds > 0) {
      const parked = this.#parked.toParked(request);
      request = { ...parked, isParked: false };
      // While the request waits, its body stays in memory. It must not keep a copy of the filter there.
      body.tags = [];
      body.capabilities = [];
      more.place.park();
      const given = await this.#parked.park(parked, body.wait_seconds * 1000).finally(() => {
        more.place.resume();
      });
      if (given !== null && given.length > 0) return this.#answer(body, given, true);
      // Another instance may have registered the session while the request was parked.
      const { session_id: sessionId, instance } = body;
      if (instance !== undefined) await this.#sessions.requireInstance(sessionId, instance);
      if (given !== null) return { body: LEFT_BEHIND };
    }
    // Before the client is told that there is nothing, this is confirmed against the store.
    await this.#tasks.position.catchUp(this.#store);
    claimed = await this.#ready.claimBest(request);
    if (claimed.length > 0) return this.#answer(body, claimed, true);
    return { body: this.#nothing(request) };
  }

  /** The claims that an earlier answer to the session may have lost. */
  async #earlierClaims(
    body: Request<"tasks.next">,
    principal: string | null,
    taskIds: readonly string[],
  ): Promise<Claimed[]> {
    const { session_id: sessionId, instance = null, request_id: requestId } = body;
    const connection = connectionOf(body.release_on_disconnect);
    const found: Claimed[] = [];
    for (const taskId of taskIds) {
      const task = this.#tasks.get(taskId)?.task;
      if (task?.claimedBy !== sessionId) continue;
      const holder = { sessionId, instance, attempt: task.attempt };
      const claim =
        requestId === undefined
          ? await this.#claims.ifUnconfirmed(taskId, holder, connection)
          : await this.#claims.ifHeld(taskId, holder, { connection, principal });
      if (claim !== null) found.push(claim);
    }
    return found;
  }

  #answer(
    body: Request<"tasks.next">,
    claims: Claimed[],
    hasWaited = false,
  ): AnswerTo<"tasks.next"> {
    const reply: AnswerTo<"tasks.next">["body"] = {
      ok: true,
      claims,
      reasons: {},
      next_due_at: null,
    };
    // A claim that is sent for the second time is not given back: the client may have the first answer.
    const fresh = claims.filter((claim) => !claim.already_held);
    if (fresh.length === 0) return { body: reply };
    return {
      body: reply,
      hasWaited,
      undelivered: () => {
        this.#giveBack(body, fresh);
      },
    };
  }

  /** The reply if no task is ready: for each reason, the number of tasks that cannot be claimed. */
  #nothing({ filter, principal }: NextRequest): Reply<"tasks.next"> {
    // Counts by prefixes and tags would let an agent find the ids and tags of hidden tasks, letter by letter.
    const counted = this.#hidesOthersFrom(principal) ? ALL_TASKS : filter;
    const blocked = this.#counts.of("blocked", counted);
    const claimed = this.#counts.of("claimed", counted);
    const { capabilities, tags, prefix, notDue, nextDueAt } = this.#tasks.ready.withheld(filter);
    const counts = { blocked, claimed, capabilities, tags, prefix, not_due: notDue };
    const reasons = Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
    return { ok: true, claims: [], reasons, next_due_at: isoOrNull(nextDueAt) };
  }

  #hidesOthersFrom(principal: string | null): boolean {
    return (
      this.#settings.visibility === "own" && principal !== null && isOfRole(principal, "agent")
    );
  }

  #giveBack(body: Request<"tasks.next">, claims: readonly Claimed[]): void {
    const { session_id: sessionId, instance = null } = body;
    for (const { task, attempt } of claims) {
      const holder = { sessionId, instance, attempt };
      this.#claims.giveBack(task.task_id, holder).catch((cause: unknown) => {
        this.#observe({ kind: "background_error", what: `return of ${task.task_id}`, cause });
      });
    }
  }
}

const ALL_TASKS = { prefix: "", tags: [] };

/** Nobody waits for this answer, or the client cannot use it. So the reasons are not counted. */
const LEFT_BEHIND: Reply<"tasks.next"> = { ok: true, claims: [], reasons: {}, next_due_at: null };
