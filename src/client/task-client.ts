/** The operations of the coordinator as typed methods. */
import type { Requester } from "../nats/request.ts";
import type { Operation, Reply, RequestInput } from "../protocol/operations.ts";
import { decodeDefinition, isSameDefinition } from "../protocol/task-record.ts";
import { Attempts } from "./attempts.ts";
import { type CallOptions, Calls, type CallsOptions, locally } from "./calls.ts";
import { type ImportedTask, mergeReplies, planImport } from "./import-tasks.ts";
import { TaskError } from "./task-error.ts";

/**
 * A method for each operation. Each resolves to the reply or rejects with a `TaskError`, after it has
 * asked again for a while where that helps. See `CallOptions` for how long.
 *
 * The attempt of a claim, its fencing token, is remembered: `renew` and `release` send it along unless
 * they are given one.
 *
 * @example
 * const { claims } = await coordinator.tasks.next({ session_id: "session-1", wait_seconds: 30 });
 */
export class TaskClient {
  readonly #calls: Calls;
  readonly #attempts = new Attempts();

  /** @internal */
  constructor(requester: Requester, options: CallsOptions = {}) {
    this.#calls = new Calls(requester, options);
  }

  /**
   * Any operation by its name.
   *
   * @param id of the task or session, for operations whose subject ends in one
   * @throws TaskError
   */
  call<O extends Operation>(
    operation: O,
    id: string | undefined,
    input: RequestInput<O>,
    options?: CallOptions,
  ): Promise<Reply<O>> {
    return this.#calls.call(operation, id, () => input, options);
  }

  /** Creates a task; without an id it gets a random one. Rejects with `already_exists`. */
  async create(
    taskId: string | undefined,
    input: RequestInput<"tasks.create">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.create">> {
    // An id of our own, so that asking again cannot make a second task.
    const id = taskId ?? input.task_id ?? crypto.randomUUID();
    let requests = 0;
    const body = (count: number): RequestInput<"tasks.create"> => {
      requests = count;
      return input;
    };
    try {
      return await this.#calls.call("tasks.create", id, body, options);
    } catch (error) {
      if (requests === 1 || !(error instanceof TaskError) || error.code !== "already_exists") {
        throw error;
      }
      // By the first of several requests, whose answer was lost, if it is just what was asked for.
      const found = await this.get(id, options);
      const { task } = found;
      const wanted = decodeDefinition({ max_failures: task.max_failures, ...input });
      if (!isSameDefinition(decodeDefinition(task), wanted)) throw error;
      return { ok: true, task, revision: found.revision };
    }
  }

  /**
   * Creates many tasks. The whole set is validated before the first request; a set that needs several
   * requests and fails in between can simply be imported again.
   */
  async importTasks(
    tasks: readonly ImportedTask[],
    input: Omit<RequestInput<"tasks.import">, "tasks"> = {},
    options?: CallOptions,
  ): Promise<Reply<"tasks.import">> {
    const replies: Reply<"tasks.import">[] = [];
    for (const portion of locally(() => planImport(tasks, this.#calls.maxPayload))) {
      const body = { ...input, tasks: portion };
      replies.push(await this.call("tasks.import", undefined, body, options));
    }
    return mergeReplies(replies);
  }

  /**
   * Claims the task for `ttl_seconds` (default: the coordinator's `task_claim_ttl_seconds`, 300). Whoever
   * holds it already gets the same attempt again. Rejects with `already_claimed`, `not_available`,
   * `missing_capabilities` or `not_found`.
   */
  async claim(
    taskId: string,
    input: RequestInput<"tasks.claim">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.claim">> {
    const claim = await this.call("tasks.claim", taskId, input, options);
    this.#attempts.remember(taskId, input.session_id, claim.attempt);
    return claim;
  }

  /** Claims the best ready tasks; waits up to `wait_seconds` (default 0) for one. */
  async next(
    input: RequestInput<"tasks.next">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.next">> {
    const waitMs = (input.wait_seconds ?? 0) * 1000;
    // Asked again, it gets the claims that it was given before, should their answer be lost.
    const request_id = input.request_id ?? crypto.randomUUID();
    const body = (_count: number, elapsedMs: number): RequestInput<"tasks.next"> => ({
      ...input,
      request_id,
      wait_seconds: Math.max(0, waitMs - elapsedMs) / 1000,
    });
    const next = await this.#calls.call("tasks.next", undefined, body, options, waitMs);
    for (const { task, attempt } of next.claims) {
      this.#attempts.remember(task.task_id, input.session_id, attempt);
    }
    return next;
  }

  /** Starts the lease anew. Rejects with `lease_lost` or `not_holder`: stop working on the task. */
  renew(
    taskId: string,
    input: RequestInput<"tasks.renew">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.renew">> {
    return this.call("tasks.renew", taskId, this.#attempts.addTo(taskId, input), options);
  }

  /**
   * Ends the claim as `complete`, `failed` or `available`. Can be repeated. Rejects with `lease_lost` or
   * `not_holder`.
   */
  async release(
    taskId: string,
    input: RequestInput<"tasks.release">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.release">> {
    const release = this.#attempts.addTo(taskId, input);
    const released = await this.call("tasks.release", taskId, release, options);
    this.#attempts.forget(taskId, release.session_id, release.attempt);
    return released;
  }

  /** Whether the session, the attempt, or both together hold the task at this moment. */
  verify(taskId: string, input: RequestInput<"tasks.verify">, options?: CallOptions) {
    return this.call("tasks.verify", taskId, input, options);
  }

  /** The task as the bucket has it. Rejects with `not_found`. */
  get(taskId: string, options?: CallOptions) {
    return this.call("tasks.get", taskId, {}, options);
  }

  /** A page of tasks, oldest first, 100 unless `limit` says otherwise; `next_cursor` leads to the next. */
  list(input: RequestInput<"tasks.list"> = {}, options?: CallOptions) {
    return this.call("tasks.list", undefined, input, options);
  }

  /** The records of the task that the bucket still has, oldest first. */
  history(taskId: string, options?: CallOptions) {
    return this.call("tasks.history", taskId, {}, options);
  }

  /** What changed after the revision `since` (default 0), in order; `has_more`: ask again. */
  changes(input: RequestInput<"tasks.changes"> = {}, options?: CallOptions) {
    return this.call("tasks.changes", undefined, input, options);
  }

  /**
   * Changes parts of the definition; with `revision` only if the task still has that one, else
   * `conflict`. Rejects with `not_available` for a finished task.
   */
  update(taskId: string, input: RequestInput<"tasks.update">, options?: CallOptions) {
    return this.call("tasks.update", taskId, input, options);
  }

  /** Cancels the task; whoever holds it is asked to stop, or with `force` loses it at once. */
  cancel(taskId: string, input: RequestInput<"tasks.cancel"> = {}, options?: CallOptions) {
    return this.call("tasks.cancel", taskId, input, options);
  }

  /** Returns a finished task, or one whose holder is dead, to the pool. For operators. */
  requeue(taskId: string, input: RequestInput<"tasks.requeue"> = {}, options?: CallOptions) {
    return this.call("tasks.requeue", taskId, input, options);
  }

  /** Counts of tasks, leases and sessions. */
  stats(options?: CallOptions) {
    return this.call("tasks.stats", undefined, {}, options);
  }

  /** Registers what the session can do, for `ttl_seconds` (default 300) from each heartbeat. */
  register(
    sessionId: string,
    input: RequestInput<"sessions.register"> = {},
    options?: CallOptions,
  ) {
    return this.call("sessions.register", sessionId, input, options);
  }

  /** Renews the session and all of its leases; answers what it has lost. Rejects with `not_found`. */
  heartbeat(
    sessionId: string,
    input: RequestInput<"sessions.heartbeat"> = {},
    options?: CallOptions,
  ) {
    return this.call("sessions.heartbeat", sessionId, input, options);
  }

  /** A page of the registered sessions, in the order of their ids. */
  listSessions(input: RequestInput<"sessions.list"> = {}, options?: CallOptions) {
    return this.call("sessions.list", undefined, input, options);
  }

  /** Ends the session and returns its claims to the pool. */
  unregister(sessionId: string, options?: CallOptions) {
    return this.call("sessions.unregister", sessionId, {}, options);
  }
}
