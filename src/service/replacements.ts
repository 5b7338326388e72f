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
import { isOfOtherInstance } from "../task/holder.ts";
import type { Claims } from "./claims.ts";
import type { BackgroundContext, Limiter } from "./background.ts";
import type { AnswerTo, Observe, TaskStore } from "./ports.ts";
import { Reconciler } from "./reconciler.ts";
import type { SessionChange } from "./session-index.ts";
import type { Sessions } from "./sessions.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess } from "./task-writer.ts";

export class Replacements {
  readonly #sessions: Sessions;
  readonly #claims: Claims;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #limiter: Limiter;
  readonly #observe: Observe;
  readonly #reconciler: Reconciler;

  constructor(
    sessions: Sessions,
    claims: Claims,
    { store, index }: TaskAccess,
    context: BackgroundContext,
  ) {
    this.#sessions = sessions;
    this.#claims = claims;
    this.#store = store;
    this.#tasks = index;
    this.#limiter = context.limiter;
    this.#observe = context.observe;
    const correction = {
      what: "replaced session",
      isWrong: (taskId: string) => this.#isStale(taskId),
      correct: (taskId: string) => this.#takeBackStale(taskId),
    };
    this.#reconciler = new Reconciler(correction, context);
    index.onChange(({ taskId, after }) => {
      if (after !== null && after.claimInstance !== null) this.#reconciler.soon(taskId);
    });
    sessions.index.onChange((change) => {
      this.#changed(change);
    });
  }

  /** Resolves when the writes under way have ended. */
  stop(): Promise<void> {
    return this.#reconciler.stop();
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
    const takenBack = await Promise.all(
      [...this.#tasks.claims.get(sessionId)].map(async (taskId) => {
        const task = this.#tasks.get(taskId)?.task;
        if (task === undefined || task.claimInstance === instance) return false;
        return this.#limiter.run(() => this.#takeBack(taskId, task.attempt));
      }),
    );
    return takenBack.filter(Boolean).length;
  }

  #changed({ sessionId, before, after }: SessionChange): void {
    const instance = after?.instance ?? null;
    if (instance === null || instance === before?.instance) return;
    for (const taskId of this.#tasks.claims.get(sessionId)) this.#reconciler.soon(taskId);
  }

  /** Whether an instance of the session other than the registered one holds the task. */
  #isStale(taskId: string): boolean {
    const task = this.#tasks.get(taskId)?.task;
    if (task === undefined || task.claimedBy === null) return false;
    const session = this.#sessions.index.get(task.claimedBy)?.session;
    return isOfOtherInstance(task, session?.instance ?? null);
  }

  async #takeBackStale(taskId: string): Promise<void> {
    const task = this.#tasks.get(taskId)?.task;
    if (task === undefined || task.claimedBy === null) return;
    // Read after the claim was seen: the leader's entry has every registration from before the claim.
    const instance = await this.#sessions.freshInstanceOf(task.claimedBy);
    if (isOfOtherInstance(task, instance)) await this.#takeBack(taskId, task.attempt);
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
