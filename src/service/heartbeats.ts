/** Heartbeat and unregister: requests about a session and all of its claims. */
import { hasCode } from "../protocol/errors.ts";
import { MAX_PAGE } from "../protocol/fields.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import { isOfOtherInstance } from "../task/holder.ts";
import type { Task } from "../task/task.ts";
import { forEachAtATime } from "./at-a-time.ts";
import type { Claims } from "./claims.ts";
import type { NextRequest } from "./next-request.ts";
import type { AnswerTo, TaskStore } from "./ports.ts";
import { SenderGate, USUAL_WAIT_MS } from "./sender-gate.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess } from "./task-writer.ts";

type Heartbeat = Reply<"sessions.heartbeat">;

type Asker = Pick<NextRequest, "sender" | "principal">;

/** Writes under way. A session with a thousand claims could send thousands of heartbeats a second. */
const LIMITS = { total: 512, perSender: 64, waitMs: USUAL_WAIT_MS };

export class Heartbeats {
  readonly #sessions: Sessions;
  readonly #claims: Claims;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #gate = new SenderGate(
    LIMITS,
    "too many claims wait for their renewal: send fewer heartbeats at a time",
  );

  constructor(sessions: Sessions, claims: Claims, tasks: TaskAccess) {
    this.#sessions = sessions;
    this.#claims = claims;
    this.#store = tasks.store;
    this.#tasks = tasks.index;
  }

  /**
   * Renews the session and the leases of the claims that the request names, or of all that the session
   * holds. Claims that are named are checked by the leader's record. The answer also lists the claims
   * that this worker saw being taken from the session.
   */
  heartbeat(
    sessionId: string,
    request: Request<"sessions.heartbeat">,
    { sender, principal }: Asker,
  ): Promise<AnswerTo<"sessions.heartbeat">> {
    const claims = request.claims?.length ?? this.#tasks.claims.get(sessionId).size;
    return this.#gate.during(sender, writesFor(claims), () =>
      this.#heartbeat(sessionId, request, principal),
    );
  }

  async #heartbeat(
    sessionId: string,
    request: Request<"sessions.heartbeat">,
    principal: string | null,
  ): Promise<AnswerTo<"sessions.heartbeat">> {
    const { instance = null, release_on_disconnect: connection } = request;
    const session = await this.#sessions.renew(sessionId, instance);
    const named = new Map(request.claims?.map((claim) => [claim.task_id, claim.attempt]));
    const held = this.#heldBy(sessionId, instance);
    const isNamed = request.claims !== undefined;
    const taskIds = isNamed ? [...named.keys()] : held.map(({ taskId }) => taskId);

    const claims: Heartbeat["claims"] = [];
    const lost = new Set<string>();
    const cancelled = new Set<string>();
    await forEachToTheEnd(taskIds, async (taskId) => {
      const renewal = {
        session_id: sessionId,
        instance: request.instance,
        attempt: named.get(taskId),
        // A claim that is not named may be on another connection of the same session.
        release_on_disconnect: named.has(taskId) ? connection : undefined,
      };
      const claim = await this.#renew(taskId, renewal, principal);
      if (claim === "lost") {
        // A claim that the session itself ended, through another worker, is not lost.
        const stillHeld = this.#tasks.claims.get(sessionId).has(taskId);
        if (named.has(taskId) || stillHeld) lost.add(taskId);
        return;
      }
      claims.push(claim);
      if (claim.cancel_requested) cancelled.add(taskId);
    });
    // Only now: if a renewal had failed, the answer would not have reported these claims.
    const renewed = new Set(claims.map((claim) => claim.task_id));
    for (const [taskId, how] of this.#sessions.index.takenFrom(sessionId)) {
      if (renewed.has(taskId)) continue;
      if (how === "cancelled") {
        lost.delete(taskId);
        cancelled.add(taskId);
        // An instance has not lost what an earlier one had claimed.
      } else if (how === "lost" || instance === null) lost.add(taskId);
    }
    const unnamed = held
      .filter(({ taskId }) => isNamed && !named.has(taskId))
      .slice(0, MAX_PAGE)
      .map(({ taskId, attempt }) => ({ task_id: taskId, attempt }));
    const ended = { lost: [...lost], cancelled: [...cancelled] };
    return { body: { ok: true, session, claims, unnamed, ...ended } };
  }

  /** Ends the session. Its claims go back to the pool, but not those of another instance. */
  async unregister(
    sessionId: string,
    request: Request<"sessions.unregister">,
    { sender, principal }: Asker,
  ): Promise<AnswerTo<"sessions.unregister">> {
    const { instance = null } = request;
    await this.#tasks.position.catchUp(this.#store);
    const released: string[] = [];
    const held = this.#heldBy(sessionId, instance).map(({ taskId }) => taskId);
    await this.#gate.during(sender, writesFor(held.length), () =>
      forEachToTheEnd(held, async (taskId) => {
        try {
          await this.#claims.giveBack(taskId, { sessionId, instance, attempt: null, principal });
          released.push(taskId);
        } catch (error) {
          if (!isNoLongerHeld(error)) throw error;
        }
      }),
    );
    await this.#sessions.remove(sessionId, instance);
    return { body: { ok: true, released: released.sort() } };
  }

  /** The tasks that the session holds, as this instance or without one, as far as this worker knows. */
  #heldBy(sessionId: string, instance: string | null): Task[] {
    return [...this.#tasks.claims.get(sessionId)].flatMap((taskId) => {
      const task = this.#tasks.get(taskId)?.task;
      return task === undefined || isOfOtherInstance(task, instance) ? [] : [task];
    });
  }

  async #renew(
    taskId: string,
    request: Request<"tasks.renew">,
    principal: string | null,
  ): Promise<Heartbeat["claims"][number] | "lost"> {
    try {
      const { body: renewed } = await this.#claims.renew(taskId, request, principal);
      return {
        task_id: taskId,
        attempt: renewed.attempt,
        lease: renewed.lease,
        cancel_requested: renewed.cancel_requested,
      };
    } catch (error) {
      if (isNoLongerHeld(error)) return "lost";
      throw error;
    }
  }
}

/** The writes under way of a request about so many claims. */
function writesFor(claims: number): number {
  return Math.min(Math.max(1, claims), LIMITS.perSender);
}

/** Works on all tasks, also after a failure, and then throws the first one. */
async function forEachToTheEnd(
  taskIds: readonly string[],
  work: (taskId: string) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  await forEachAtATime(writesFor(taskIds.length), taskIds, (taskId) =>
    work(taskId).catch((error: unknown) => {
      failures.push(error);
    }),
  );
  if (failures.length > 0) throw failures[0];
}

function isNoLongerHeld(error: unknown): boolean {
  return hasCode(error, "lease_lost", "not_holder", "not_found", "corrupt_record");
}
