/**
 * Answers requests for operations that do not exist, and suggests the operation that was probably meant.
 * Without an answer, a misspelt request would look as if no worker ran.
 *
 * NATS cannot subscribe to "all other subjects": a subscription on `tasks.>` receives every request a second
 * time. So each subscription ends after 100 messages, which the server counts. The next one begins at once if
 * the last took longer than 1 s, otherwise after 5 s. Under load, most misspelt requests get no answer.
 *
 * Others may answer the same subject: a worker of a later version, or a program with its own subjects below
 * `tasks`. If a message trace shows another queue group, we do not answer. If the trace is lost, we refuse the
 * request, because a client without an answer would wait for its timeout.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { CoordinatorError } from "../protocol/errors.ts";
import { nearest } from "../protocol/nearest.ts";
import { OPERATION_NAMES, OPERATIONS } from "../protocol/operations.ts";
import { parseRequestSubject, requestSubject, SUBJECT_PREFIXES } from "../protocol/subjects.ts";
import type { MessageTraces } from "./message-traces.ts";

export const UNKNOWN_OPERATIONS_GROUP = "coordinator-unknown";
/** A subscription ends after this many messages. */
const MAX_MESSAGES = 100;
/** If a subscription ends sooner than this, the workers are busy. */
const QUIET_MS = 1_000;
const PAUSE_MS = 5_000;

const SUBJECTS = SUBJECT_PREFIXES.flatMap((prefix) => [`${prefix}tasks.>`, `${prefix}sessions.>`]);

export class UnknownOperations {
  readonly #connection: NatsConnection;
  readonly #traces: MessageTraces;
  readonly #refuse: (replyTo: string, error: CoordinatorError) => void;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(
    connection: NatsConnection,
    traces: MessageTraces,
    refuse: (replyTo: string, error: CoordinatorError) => void,
  ) {
    this.#connection = connection;
    this.#traces = traces;
    this.#refuse = refuse;
    for (const subject of SUBJECTS) this.#listen(subject);
  }

  /** Call this before the endpoints end: a subscription here does not answer requests that do exist. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
  }

  #listen(subject: string): void {
    if (this.#stopped || this.#connection.isClosed()) return;
    const since = performance.now();
    let received = 0;
    const callback = (error: Error | null, msg: Msg): void => {
      if (error !== null) return;
      this.#received(msg);
      if (++received < MAX_MESSAGES) return;
      const isQuiet = performance.now() - since > QUIET_MS;
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          this.#listen(subject);
        },
        isQuiet ? 0 : PAUSE_MS,
      );
      timer.unref();
      this.#timers.add(timer);
    };
    const options = { queue: UNKNOWN_OPERATIONS_GROUP, max: MAX_MESSAGES, callback };
    this.#subscriptions.set(subject, this.#connection.subscribe(subject, options));
  }

  /** Must not throw. */
  #received(msg: Msg): void {
    const { root, operation } = parseRequestSubject(msg.subject);
    if (requestSubject(root as "tasks", operation) in OPERATIONS) return;
    const { subject, reply = "" } = msg;
    if (reply === "") return;
    void this.#traces.isForOthers(UNKNOWN_OPERATIONS_GROUP, subject).then((isForOthers) => {
      if (!isForOthers) this.#refuse(reply, unknownOperation(root, operation));
    });
  }
}

function unknownOperation(root: string, operation: string): CoordinatorError {
  const known = OPERATION_NAMES.filter((name) => name.startsWith(`${root}.`));
  const asked = `${root}.${operation}`;
  const meant = nearest(asked, known);
  const hint = meant === undefined ? `use one of ${known.join(", ")}` : `did you mean ${meant}?`;
  return new CoordinatorError(
    "invalid_request",
    `there is no operation ${asked.slice(0, 100)}: ${hint}`,
    { details: { field: "operation" } },
  );
}
