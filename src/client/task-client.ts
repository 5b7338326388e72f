/** The operations of the coordinator as typed methods. `task-queries.ts` has those that only read. */
import type { Reply, RequestInput } from "../protocol/operations.ts";
import { Attempts } from "./attempts.ts";
import type { CallOptions } from "./call-options.ts";
import { locally } from "./calls.ts";
import type { Connected } from "./connection-field.ts";
import { createTask } from "./create-task.ts";
import { type ImportedTask, mergeReplies, planImport } from "./import-tasks.ts";
import { nextClaims } from "./next-claims.ts";
import { ReleaseNext } from "./release-next.ts";
import { TaskQueries } from "./task-queries.ts";

/**
 * A method for each operation. Each resolves to the reply, or rejects with a `TaskError` after it has
 * retried for a while if that can help. `CallOptions` say for how long.
 *
 * The attempt of a claim is remembered: `renew` and `release` send it unless the caller names one.
 *
 * @example
 * const { claims } = await coordinator.tasks.next({ session_id: "session-1", wait_seconds: 30 });
 */
export class TaskClient extends TaskQueries {
  readonly #attempts = new Attempts();
  readonly #releases = new ReleaseNext(this.calls);

  /**
   * Creates a task. Without an id, the task gets a random one. Rejects with `already_exists`.
   * @example await coordinator.tasks.create("P0.6.1", { title: "Document", depends_on: ["P0.5.1"] });
   */
  create(
    taskId: string | undefined,
    input: RequestInput<"tasks.create">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.create">> {
    // The client makes the id, so that a retry cannot create a second task.
    const id = taskId ?? input.task_id ?? crypto.randomUUID();
    return createTask(this.calls, id, input, options);
  }

  /**
   * Creates many tasks. The whole set is validated before the first request. A set that needs several
   * requests, of which one fails, can be imported again.
   * @example await coordinator.tasks.importTasks([{ task_id: "a" }, { task_id: "b", depends_on: ["a"] }]);
   */
  async importTasks(
    tasks: readonly ImportedTask[],
    input: Omit<RequestInput<"tasks.import">, "tasks"> = {},
    options?: CallOptions,
  ): Promise<Reply<"tasks.import">> {
    const replies: Reply<"tasks.import">[] = [];
    for (const portion of locally(() => planImport(tasks, this.calls.maxPayload))) {
      const body = { ...input, tasks: portion };
      replies.push(await this.call("tasks.import", undefined, body, options));
    }
    return mergeReplies(replies);
  }

  /**
   * Claims the task for `ttl_seconds` (default: the coordinator's `task_claim_ttl_seconds`, 300). A session
   * that holds the task already gets the same attempt again. Rejects with `already_claimed`,
   * `not_available`, `missing_capabilities` or `not_found`.
   * @example const { attempt } = await coordinator.tasks.claim("P0.5.1", { session_id: "session-1" });
   */
  async claim(
    taskId: string,
    input: Connected<"tasks.claim">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.claim">> {
    const claim = await this.calls.call("tasks.claim", taskId, () => input, options);
    this.#attempts.remember(taskId, input.session_id, claim.attempt);
    return claim;
  }

  /**
   * Claims the best ready tasks. Waits up to `wait_seconds` (default 0) for one.
   * @example const { claims } = await coordinator.tasks.next({ session_id: "session-1", max: 10 });
   */
  async next(input: Connected<"tasks.next">, options?: CallOptions): Promise<Reply<"tasks.next">> {
    const next = await nextClaims(this.calls, input, options);
    this.#remember(input.session_id, next.claims);
    return next;
  }

  /**
   * Renews the lease for its whole length. Rejects with `lease_lost` or `not_holder`: then stop working on
   * the task.
   * @example const { lease } = await coordinator.tasks.renew("P0.5.1", { session_id: "session-1" });
   */
  renew(
    taskId: string,
    input: Connected<"tasks.renew">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.renew">> {
    const body = this.#attempts.addTo(taskId, input);
    return this.calls.call("tasks.renew", taskId, () => body, options);
  }

  /**
   * Ends the claim as `complete`, `failed` or `available`. Can be repeated. Rejects with `lease_lost` or
   * `not_holder`. With `next` it also claims the next tasks, in the same request; `next.error` of the reply
   * says why that failed.
   * @example await coordinator.tasks.release("P0.5.1", { session_id: "session-1", status: "complete" });
   * @example
   * const release = { session_id: "session-1", status: "complete", next: { wait_seconds: 30 } } as const;
   * const { next } = await coordinator.tasks.release("P0.5.1", release);
   */
  async release(
    taskId: string,
    input: Connected<"tasks.release">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.release">> {
    const release = this.#attempts.addTo(taskId, input);
    const { session_id: sessionId } = release;
    const released = await this.#releases.release(taskId, release, options);
    this.#attempts.forget(taskId, sessionId, release.attempt);
    this.#remember(sessionId, released.next?.claims ?? []);
    return released;
  }

  /**
   * Changes parts of the definition. With `revision`, rejects with `conflict` if the task has another one
   * by now. Rejects with `not_available` for a finished task.
   * @example await coordinator.tasks.update("P0.5.1", { priority: 0 });
   */
  update(
    taskId: string,
    input: RequestInput<"tasks.update">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.update">> {
    return this.call("tasks.update", taskId, input, options);
  }

  /**
   * Cancels the task. The session that holds it is asked to stop, or with `force` loses it at once.
   * @example await coordinator.tasks.cancel("P0.5.1", { reason: "no longer needed" });
   */
  cancel(
    taskId: string,
    input: RequestInput<"tasks.cancel"> = {},
    options?: CallOptions,
  ): Promise<Reply<"tasks.cancel">> {
    return this.call("tasks.cancel", taskId, input, options);
  }

  /**
   * Returns a finished task, or a task whose holder is dead, to the pool. For operators.
   * @example await coordinator.tasks.requeue("P0.5.1", { reason: "the result was wrong" });
   */
  requeue(
    taskId: string,
    input: RequestInput<"tasks.requeue"> = {},
    options?: CallOptions,
  ): Promise<Reply<"tasks.requeue">> {
    return this.call("tasks.requeue", taskId, input, options);
  }

  /**
   * Registers what the session can do, for `ttl_seconds` (default 300) from each heartbeat.
   * @example await coordinator.tasks.register("session-1", { capabilities: ["gpu"] });
   */
  register(
    sessionId: string,
    input: RequestInput<"sessions.register"> = {},
    options?: CallOptions,
  ): Promise<Reply<"sessions.register">> {
    return this.call("sessions.register", sessionId, input, options);
  }

  /**
   * Renews the session and all of its leases. The reply says which tasks it has lost. Rejects with
   * `not_found`.
   * @example const { lost, cancelled } = await coordinator.tasks.heartbeat("session-1");
   */
  heartbeat(
    sessionId: string,
    input: Connected<"sessions.heartbeat"> = {},
    options?: CallOptions,
  ): Promise<Reply<"sessions.heartbeat">> {
    return this.calls.call("sessions.heartbeat", sessionId, () => input, options);
  }

  /**
   * Ends the session and returns its tasks to the pool.
   * @example const { released } = await coordinator.tasks.unregister("session-1");
   */
  unregister(sessionId: string, options?: CallOptions): Promise<Reply<"sessions.unregister">> {
    return this.call("sessions.unregister", sessionId, {}, options);
  }

  #remember(sessionId: string, claims: Reply<"tasks.next">["claims"]): void {
    for (const { task, attempt } of claims) {
      this.#attempts.remember(task.task_id, sessionId, attempt);
    }
  }
}
