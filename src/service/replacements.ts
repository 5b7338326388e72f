/**
 * Takes back the claims of a session's earlier instance when another instance registers the session.
 *
 * The worker that registers the session takes them back before it answers, so that the new process can
 * claim at once what its predecessor held. Another worker that does not know about the registration
 * yet may still accept a claim of the old process. So every worker that sees a claim of an instance
 * other than the registered one takes it back, by the leader's entry of the session.
 */
import { hasCode } from "../protocol/errors.ts";
import type { Request } from "../protocol/operations.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import { isOfOtherInstance } from "../task/holder.ts";
import type { Claims } from "./claims.ts";
import { forEachAtATime } from "./at-a-time.ts";
import type { AnswerTo, Observe, ServiceContext, TaskStore } from "./ports.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess } from "./task-writer.ts";

/** A session may hold thousands of tasks. This limit leaves room for other requests. */
const AT_A_TIME = 64;

export class Replacements {
  readonly #sessions: Sessions;
  readonly #claims: Claims;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #observe: Observe;

  constructor(
    sessions: Sessions,
    claims: Claims,
    { store, index }: TaskAccess,
    { observe }: ServiceContext,
  ) {
    this.#sessions = sessions;
    this.#claims = claims;
    this.#store = store;
    this.#tasks = index;
    this.#observe = observe;
  }

  /** Registers the session. A request with an instance takes back the claims of all other instances. */
  async register(
    sessionId: string,
    request: Request<"sessions.register">,
  ): Promise<AnswerTo<"sessions.register">> {
    const { session, isReplaced } = await this.#sessions.register(sessionId, request);
    if (request.instance !== undefined) {
      const released = await this.#takeBackAll(sessionId, request.instance);
      if (isReplaced || released > 0) {
        this.#observe({ kind: "session_replaced", sessionId, released });
      }
    }
    return { body: { ok: true, session } };
  }

  /**
   * Takes back also claims that name no instance: a process of an older version may have made them.
   * Returns how many claims were taken back.
   */
  async #takeBackAll(sessionId: string, instance: string): Promise<number> {
    await this.#tasks.position.catchUp(this.#store);
    let count = 0;
    await forEachAtATime(AT_A_TIME, [...this.#tasks.claims.get(sessionId)], async (taskId) => {
      const task = this.#tasks.get(taskId)?.task;
      if (task === undefined || task.claimInstance === instance) return;
      if (await this.#takeBack(taskId, task.attempt)) count++;
    });
    return count;
  }

  /** Whether an instance of the session other than the registered one holds the task, as far as this worker knows. */
  isStale(task: TaskOutline): boolean {
    if (task.claimedBy === null || task.claimInstance === null) return false;
    const session = this.#sessions.index.get(task.claimedBy)?.session;
    return isOfOtherInstance(task, session?.instance ?? null);
  }

  /** Takes the claim back if its session is still replaced by the leader's entry. */
  async takeBackStale(task: TaskOutline): Promise<void> {
    if (task.claimedBy === null) return;
    // Read after the claim was seen: the leader's entry has every registration from before the claim.
    const instance = await this.#sessions.freshInstanceOf(task.claimedBy);
    if (isOfOtherInstance(task, instance)) await this.#takeBack(task.taskId, task.attempt);
  }

  /** `false` if the claim has ended in another way. */
  async #takeBack(taskId: string, attempt: number): Promise<boolean> {
    try {
      return await this.#claims.takeBack(taskId, attempt);
    } catch (error) {
      if (hasCode(error, "not_found", "corrupt_record")) return false;
      throw error;
    }
  }
}
