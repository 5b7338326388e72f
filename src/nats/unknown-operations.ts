/**
 * Answers requests for operations that do not exist, which would look as if no worker ran, and names the
 * one that was probably meant.
 *
 * NATS cannot subscribe to "all the others": a subscription on `tasks.>` gets every request a second time. So
 * each one ends after a few messages, by the server's own count, and the next one begins at once if there
 * was little to hear, or after a pause: under load a misspelt request mostly finds nobody, as before.
 *
 * Others may answer there: a worker of a later version, or a program with subjects of its own below `tasks`.
 * If a message trace shows that another queue group listens, nothing is said. If the trace is lost, the
 * request is refused: an asker without an answer would wait for its time-out.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { CoordinatorError } from "../protocol/errors.ts";
import { nearest } from "../protocol/nearest.ts";
import { OPERATION_NAMES, OPERATIONS } from "../protocol/operations.ts";
import { AGENT_ROOT, parseRequestSubject, requestSubject } from "../protocol/subjects.ts";
import type { MessageTraces } from "./message-traces.ts";

export const UNKNOWN_OPERATIONS_GROUP = "coordinator-unknown";
/** A subscription ends after so many messages. */
const MAX_MESSAGES = 100;
/** If it has not lasted for as long, workers are busy. */
const QUIET_MS = 1_000;
const PAUSE_MS = 5_000;

const SUBJECTS = ["tasks.>", "sessions.>"].flatMap((all) => [all, `${AGENT_ROOT}.*.${all}`]);

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

  /** To be called before the endpoints end, so that nobody is left to a subscription that does not answer. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
  }

  #listen(subject: string): void {
    if (this.#stopped || this.#connection.isClosed()) return;
    const since = performance.now();
    let heard = 0;
    const callback = (error: Error | null, msg: Msg): void => {
      if (error !== null) return;
      this.#received(msg);
      if (++heard < MAX_MESSAGES) return;
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
