/** What concerns a session and all of its claims at once: heartbeat and unregister. */
import { hasCode } from "../protocol/errors.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import type { Claims } from "./claims.ts";
import type { TaskStore } from "./ports.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskIndex } from "./task-index.ts";

type Heartbeat = Reply<"sessions.heartbeat">;

export class Heartbeats {
  readonly #sessions: Sessions;
  readonly #claims: Claims;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;

  constructor(sessions: Sessions, claims: Claims, store: TaskStore, tasks: TaskIndex) {
    this.#sessions = sessions;
    this.#claims = claims;
    this.#store = store;
    this.#tasks = tasks;
  }

  /**
   * Renews the session and every lease that it holds. Claims that the request names are looked up by
   * the leader's record; without them the session hears of what this worker saw being taken from it.
   */
  async heartbeat(sessionId: string, request: Request<"sessions.heartbeat">): Promise<Heartbeat> {
    const session = await this.#sessions.renew(sessionId);
    const named = new Map(request.claims.map((claim) => [claim.task_id, claim.attempt]));
    const { release_on_disconnect: connection } = request;
    const taskIds = new Set([...this.#tasks.claims.get(sessionId), ...named.keys()]);

    const claims: Heartbeat["claims"] = [];
    const lost = new Set<string>();
    const cancelled = new Set<string>();
    await Promise.all(
      [...taskIds].map(async (taskId) => {
        const claim = await this.#renew(taskId, {
          session_id: sessionId,
          attempt: named.get(taskId),
          // The others may be somebody else's of the same session, on another connection.
          release_on_disconnect: named.has(taskId) ? connection : undefined,
        });
        if (claim === "lost") {
          // One that it has ended itself, with another worker, is not lost.
          const stillHeld = this.#tasks.claims.get(sessionId).has(taskId);
          if (named.has(taskId) || stillHeld) lost.add(taskId);
          return;
        }
        claims.push(claim);
        if (claim.cancel_requested) cancelled.add(taskId);
      }),
    );
    // Only now: had a renewal failed, the session would not have been told.
    const held = new Set(claims.map((claim) => claim.task_id));
    for (const [taskId, how] of this.#sessions.index.takenFrom(sessionId)) {
      if (held.has(taskId)) continue;
      if (how === "lost") lost.add(taskId);
      else {
        lost.delete(taskId);
        cancelled.add(taskId);
      }
    }
    return { ok: true, session, claims, lost: [...lost], cancelled: [...cancelled] };
  }

  /** Ends the session; its claims go back to the pool. */
  async unregister(sessionId: string): Promise<Reply<"sessions.unregister">> {
    await this.#tasks.progress.catchUp(this.#store);
    const held = [...this.#tasks.claims.get(sessionId)];
    const released: string[] = [];
    await Promise.all(
      held.map(async (taskId) => {
        try {
          await this.#claims.giveBack(taskId, sessionId, null);
          released.push(taskId);
        } catch (error) {
          if (!isNoLongerHeld(error)) throw error;
        }
      }),
    );
    await this.#sessions.remove(sessionId);
    return { ok: true, released: released.sort() };
  }

  async #renew(
    taskId: string,
    request: Request<"tasks.renew">,
  ): Promise<Heartbeat["claims"][number] | "lost"> {
    try {
      const renewed = await this.#claims.renew(taskId, request);
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

function isNoLongerHeld(error: unknown): boolean {
  return hasCode(error, "lease_lost", "not_holder", "not_found", "corrupt_record");
}
