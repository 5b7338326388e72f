/**
 * Calls one operation: sends a request, and turns its reply into a result or a `TaskError`. It retries,
 * with growing pauses, for as long as the caller allows.
 *
 * Retries are safe by the protocol (docs/protocol.md, "Retries"): nothing is claimed, released or created
 * twice. `mayRetry` decides the exceptions.
 */
import type { Options } from "p-retry";
import { RequestFailedError, type Requester } from "../nats/request.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import type { Operation, Reply } from "../protocol/operations.ts";
import { parseId } from "../protocol/parse-id.ts";
import { ID_RULE, requestSubject, type SubjectRoot } from "../protocol/subjects.ts";
import type { CallOptions } from "./call-options.ts";
import { type CallQueue, type CallQueues, createQueues, type QueuedCall } from "./call-queue.ts";
import { toRequestText } from "./json-text.ts";
import { DEFAULT_LOGGER, type Logger } from "./logger.ts";
import { type Body, nameConnection } from "./connection-field.ts";
import {
  fromFailedRequest,
  fromLocalRefusal,
  fromReply,
  invalidInput,
  TaskError,
} from "./task-error.ts";

/** What the calls of one connection share. */
export interface Link extends Requester {
  /** Default: calls on this link wait only for each other. */
  readonly queues?: CallQueues;
}

export interface CallsOptions extends Omit<CallOptions, "signal"> {
  readonly logger?: Logger;
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** A NATS leader election takes up to 10 s. */
const DEFAULT_DEADLINE_MS = 15_000;
/** Long enough for a coordinator that restarts, and short for a user who has not started one. */
const NOBODY_THERE_MS = 3_000;

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;
const SHORTEST_TIMEOUT_MS = 20;

const LEASE_OPERATIONS: ReadonlySet<Operation> = new Set<Operation>([
  "tasks.renew",
  "tasks.release",
  "sessions.unregister",
]);

/** What the body of a request may depend on. */
export interface RequestContext {
  /** Since the first request. 0 for the first request itself. */
  readonly elapsedMs: number;
  /** Whether an earlier request of this call may have been carried out. */
  readonly isUncertain: boolean;
}

export type MakeBody<O extends Operation> = (context: RequestContext) => Body<O>;

export class Calls {
  readonly #link: Link;
  readonly #queues: CallQueues;
  readonly #options: CallsOptions;
  readonly #logger: Logger;

  constructor(link: Link, options: CallsOptions = {}) {
    this.#link = link;
    this.#queues = link.queues ?? createQueues();
    this.#options = options;
    this.#logger = options.logger ?? DEFAULT_LOGGER;
  }

  get maxPayload(): number {
    return this.#link.maxPayload;
  }

  /**
   * @param extraMs how long a worker may hold the request before it answers
   * @throws TaskError; the signal's reason
   */
  async call<O extends Operation>(
    operation: O,
    id: string | undefined,
    makeBody: MakeBody<O>,
    options: CallOptions = {},
    extraMs = 0,
  ): Promise<Reply<O>> {
    const subject = subjectOf(operation, id);
    const carryOut = (): Promise<Reply<O>> =>
      this.#carryOut(operation, subject, makeBody, options, extraMs);
    const queue = queueFor(this.#queues, operation, extraMs);
    if (queue === undefined) return await carryOut();
    const describe = (): QueuedCall => {
      const body = makeBody({ elapsedMs: 0, isUncertain: false });
      const session = "session_id" in body ? body.session_id : "";
      const deadlineMs = this.#givenDeadline(options) ?? DEFAULT_DEADLINE_MS;
      const patienceMs = deadlineMs === 0 ? this.#timeout(options) : deadlineMs;
      return { flow: `${operation} ${session}`, subject, patienceMs, signal: options.signal };
    };
    return await queue.run(describe, carryOut);
  }

  #timeout(options: CallOptions): number {
    return options.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  #givenDeadline(options: CallOptions): number | undefined {
    return options.deadlineMs ?? this.#options.deadlineMs;
  }

  /** Sends the request, and again until it is answered. The deadline counts from here. */
  async #carryOut<O extends Operation>(
    operation: O,
    subject: string,
    makeBody: MakeBody<O>,
    options: CallOptions,
    extraMs: number,
  ): Promise<Reply<O>> {
    const timeoutMs = this.#timeout(options);
    const givenMs = this.#givenDeadline(options);
    const deadlineMs = (givenMs ?? DEFAULT_DEADLINE_MS) + extraMs;
    const { signal } = options;
    const started = performance.now();
    const elapsed = (): number => performance.now() - started;
    let body: object = {};
    let lastError: TaskError | null = null;
    let isUncertain = false;
    let isWarned = givenMs === 0;
    const once = async (count: number): Promise<Reply<O>> => {
      const leftMs = givenMs === 0 ? Infinity : deadlineMs - elapsed();
      // No time is left for an answer. The last error says more than another timeout.
      if (lastError !== null && leftMs < SHORTEST_TIMEOUT_MS) throw lastError;
      const given = makeBody({ elapsedMs: count === 1 ? 0 : elapsed(), isUncertain });
      body = nameConnection(given, this.#link.connectionId);
      const text = toRequestText(body);
      this.#logger.debug(`${subject} ${text}`);
      const waitMs = Math.ceil(Math.min(timeoutMs + extraMs, leftMs));
      return this.#send<O>(subject, text, waitMs, signal);
    };
    const retry: Options = {
      retries: givenMs === 0 ? 0 : Infinity,
      minTimeout: FIRST_PAUSE_MS,
      maxTimeout: LONGEST_PAUSE_MS,
      randomize: true,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: ({ error }) =>
        error instanceof TaskError &&
        mayRetry(operation, error, body) &&
        (givenMs !== undefined || !isNobodyThere(error) || elapsed() < NOBODY_THERE_MS),
      onFailedAttempt: ({ error }) => {
        if (error instanceof TaskError) {
          lastError = error;
          isUncertain ||= !wasNotCarriedOut(error);
        }
        this.#logger.debug(`${subject}: ${error.message}`);
        if (isWarned || !isNobodyThere(error)) return;
        isWarned = true;
        this.#logger.warn(`${error.message}; retrying`);
      },
    };
    try {
      return await firstOrRetry(once, signal, () => {
        return { ...retry, maxRetryTime: Math.max(0, deadlineMs - elapsed()) };
      });
    } catch (error) {
      // pRetry would wrap a reason that is no `Error`.
      throw signal?.aborted === true ? signal.reason : error;
    }
  }

  async #send<O extends Operation>(
    subject: string,
    text: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Reply<O>> {
    const reply = parseReply(await this.#answer(subject, text, timeoutMs, signal), subject);
    const error = fromReply(reply, subject);
    if (error !== null) throw error;
    // Not validated: a newer coordinator may add fields and events that this version does not know. The
    // service's own tests compare its replies with the schema.
    return reply as Reply<O>;
  }

  async #answer(
    subject: string,
    text: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    try {
      return await this.#link.request(subject, text, timeoutMs, signal);
    } catch (error) {
      throw error instanceof RequestFailedError ? fromFailedRequest(error) : error;
    }
  }
}

/** The queue in which the call waits. None: it is sent at once. */
function queueFor(
  queues: CallQueues,
  operation: Operation,
  extraMs: number,
): CallQueue | undefined {
  // A request that waits at the coordinator for a task costs it nothing, and could hold its place for long.
  // A heartbeat renews all leases of a session.
  if (extraMs > 0 || operation === "sessions.heartbeat") return undefined;
  return LEASE_OPERATIONS.has(operation) ? queues.leases : queues.others;
}

/** As pRetry, which is loaded when the first request has failed: a command mostly needs only one. */
async function firstOrRetry<T>(
  once: (count: number) => Promise<T>,
  signal: AbortSignal | undefined,
  optionsOf: () => Options,
): Promise<T> {
  signal?.throwIfAborted();
  const first = once(1);
  try {
    const result = await first;
    signal?.throwIfAborted();
    return result;
  } catch {
    const { default: pRetry } = await import("p-retry");
    return await pRetry((count) => (count === 1 ? first : once(count)), optionsOf());
  }
}

/** Surely not: no worker has received the request, or it was refused. */
function wasNotCarriedOut(error: TaskError): boolean {
  const { problem } = error.details;
  return error.code !== "unavailable" || problem === "disconnected" || isNobodyThere(error);
}

function mayRetry(operation: Operation, error: TaskError, body: object): boolean {
  if (!error.retryable || error.details.problem === "closed") return false;
  // If it is carried out a second time, it may take the task from a session that has claimed it since.
  if (operation === "tasks.requeue") return wasNotCarriedOut(error);
  // The task has another revision now, and will never have this one again.
  if (operation === "tasks.update" && "revision" in body) return error.code !== "conflict";
  return true;
}

function isNobodyThere(error: unknown): boolean {
  return error instanceof TaskError && error.details.problem === "no_responders";
}

/** An invalid id would result in another subject, so it is refused here. */
function subjectOf(operation: Operation, id: string | undefined): string {
  const valid = locally(() => parseId(operation, id ?? ""));
  // An id may be left out here, but an empty one is a mistake.
  if (id === "" && valid === undefined)
    throw invalidInput("task_id", `"" is not an id: use ${ID_RULE}`);
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

/** Lets checks of the client fail with the same error as checks of the coordinator. */
export function locally<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw error instanceof CoordinatorError ? fromLocalRefusal(error) : error;
  }
}
