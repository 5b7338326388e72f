/** The operations of the coordinator as typed methods. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Operation, Reply, RequestInput } from "../protocol/operations.ts";
import { parseId } from "../protocol/parse-request.ts";
import { requestSubject, type SubjectRoot } from "../protocol/subjects.ts";
import { RequestFailedError, type Requester } from "../nats/request.ts";
import { type ImportedTask, mergeReplies, planImport } from "./import-tasks.ts";
import { fromFailedRequest, fromLocalRefusal, fromReply, TaskError } from "./task-error.ts";

export interface CallOptions {
  /**
   * How long to wait for the answer, in milliseconds. Default: that of the client, 15,000; `next` adds
   * its `wait_seconds` to it.
   */
  readonly timeoutMs?: number;
}

/** A NATS leader election takes up to 10 s, through which a worker holds a request. */
const DEFAULT_TIMEOUT_MS = 15_000;

/**
 * A method for each operation. Each request is sent once, and every method rejects with a `TaskError`
 * if it does not succeed: repeat a request whose error is `retryable`.
 *
 * @example
 * const client = new TaskClient(createRequester(await connectNats({ servers: ["127.0.0.1:4222"] })));
 * const { claims } = await client.next({ session_id: "session-1", wait_seconds: 30 });
 */
export class TaskClient {
  readonly #requester: Requester;
  readonly #timeoutMs: number;

  constructor(requester: Requester, options: CallOptions = {}) {
    this.#requester = requester;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Sends one request and returns its reply.
   *
   * @param id of the task or session, for operations whose subject ends in one
   * @throws TaskError
   */
  async call<O extends Operation>(
    operation: O,
    id: string | undefined,
    input: RequestInput<O>,
    options: CallOptions = {},
  ): Promise<Reply<O>> {
    const subject = subjectOf(operation, id);
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs;
    const text = await this.#send(subject, JSON.stringify(input), timeoutMs);
    const reply = parseReply(text, subject);
    const error = fromReply(reply, subject);
    if (error !== null) throw error;
    // Not validated again: a newer coordinator may add fields and events that this version does not
    // know, and the service's own tests hold its replies to the schema.
    return reply as Reply<O>;
  }

  /** Creates a task; without an id the coordinator makes one. */
  create(taskId: string | undefined, input: RequestInput<"tasks.create">, options?: CallOptions) {
    return this.call("tasks.create", taskId, input, options);
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
    for (const portion of locally(() => planImport(tasks, this.#requester.maxPayload))) {
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
  claim(taskId: string, input: RequestInput<"tasks.claim">, options?: CallOptions) {
    return this.call("tasks.claim", taskId, input, options);
  }

  /** Claims the best ready tasks; waits up to `wait_seconds` (default 0) for one. */
  next(input: RequestInput<"tasks.next">, options: CallOptions = {}) {
    const waitMs = (input.wait_seconds ?? 0) * 1000;
    const timeoutMs = waitMs + (options.timeoutMs ?? this.#timeoutMs);
    return this.call("tasks.next", undefined, input, { timeoutMs });
  }

  /** Starts the lease anew. Rejects with `lease_lost` or `not_holder`: stop working on the task. */
  renew(taskId: string, input: RequestInput<"tasks.renew">, options?: CallOptions) {
    return this.call("tasks.renew", taskId, input, options);
  }

  /**
   * Ends the claim as `complete`, `failed` or `available`; pass `attempt`, the fencing token. Can be
   * repeated. Rejects with `lease_lost` or `not_holder`.
   */
  release(taskId: string, input: RequestInput<"tasks.release">, options?: CallOptions) {
    return this.call("tasks.release", taskId, input, options);
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

  async #send(subject: string, text: string, timeoutMs: number): Promise<string> {
    try {
      return await this.#requester.request(subject, text, timeoutMs);
    } catch (error) {
      throw error instanceof RequestFailedError ? fromFailedRequest(error) : error;
    }
  }
}

/** An id that is not valid would become another subject, so it is refused here. */
function subjectOf(operation: Operation, id: string | undefined): string {
  const valid = locally(() => parseId(operation, id ?? ""));
  const [root, name] = operation.split(".") as [SubjectRoot, string];
  return requestSubject(root, name, valid);
}

function parseReply(text: string, subject: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TaskError("internal", `the answer of ${subject} is not JSON`, { cause });
  }
}

function locally<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof CoordinatorError ? fromLocalRefusal(error) : error;
  }
}
