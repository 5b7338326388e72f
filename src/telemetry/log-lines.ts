/**
 * The wording of the log: which facts are logged, at which level, and what each line says.
 *
 * What happens thousands of times a second (requests, transitions, leases) is `debug`, so that a
 * coordinator that does its work quietly logs nothing at `info`.
 */
import type { Fact } from "../service/ports.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** Names as on the wire; an `Error` under `err` is logged with its stack. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export function logLineOf(fact: Fact): LogLine {
  switch (fact.kind) {
    case "request":
      return requestLine(fact);
    case "request_dropped":
      return line("info", "request dropped: nobody can be answered", { reason: fact.reason });
    case "answer_undelivered":
      return line("debug", "answer reached nobody", { operation: fact.operation });
    case "task_written":
      return line("debug", "task written", {
        task_id: fact.taskId,
        event: fact.event,
        attempt: fact.attempt,
        revision: fact.revision,
        session_id: fact.sessionId,
      });
    case "write_conflict":
      return line("debug", "write lost to another one, deciding again", { task_id: fact.taskId });
    case "write_unknown":
      return line("warn", "write was not acknowledged, its outcome is unknown", {
        task_id: fact.taskId,
      });
    case "requeued_by_operator":
      return fact.from === null
        ? line("info", "task requeued by an operator", { task_id: fact.taskId })
        : line("warn", "task taken from its holder by an operator", {
            task_id: fact.taskId,
            from: fact.from,
          });
    case "lease_granted":
      return line("debug", "lease granted", attemptOf(fact));
    case "lease_restored":
      return line("warn", "claim had no lease, restored it", attemptOf(fact));
    case "lease_expired":
      return line("info", "lease expired", attemptOf(fact));
    case "lease_disconnected":
      return line("info", "session lost its connection, lease ended", attemptOf(fact));
    case "session_replaced":
      return line("info", "session was taken over by another instance, earlier claims went back", {
        session_id: fact.sessionId,
        released: fact.released,
      });
    case "disconnects":
      return disconnectsLine(fact);
    case "lease_spared":
      return line("debug", "lease ran out in an outage, it can still be renewed", attemptOf(fact));
    case "outage_grace":
      return line("warn", "outage is over, leases that ran out in it can still be renewed", {
        seconds: fact.seconds,
        spared: fact.spared,
      });
    case "task_retired":
      return line("debug", "task removed after its retention time", { task_id: fact.taskId });
    case "corrupt_record":
      return line("warn", "value in the bucket is no task, left alone", {
        task_id: fact.taskId,
        problem: fact.problem,
      });
    case "bucket_made":
      return line("info", "bucket was not there, made it", { bucket: fact.bucket });
    case "bucket_remade":
      return line("warn", "bucket was deleted, made it again", { bucket: fact.bucket });
    case "bucket_replaced":
      return line("warn", "bucket was deleted and made again: what it held is gone", {
        bucket: fact.bucket,
        made_at: fact.madeAt,
      });
    case "bucket_problem":
      return fact.problem === null
        ? line("info", "bucket can be used again", { bucket: fact.bucket })
        : line("error", "bucket cannot be used", { bucket: fact.bucket, problem: fact.problem });
    case "writes_refused":
      return fact.reason === null
        ? line("info", "bucket no longer refuses writes", { bucket: fact.bucket })
        : line("error", "bucket refuses every write", {
            bucket: fact.bucket,
            reason: fact.reason,
          });
    case "start_waits":
      return fact.problem === null
        ? line("info", "NATS is there", {})
        : line("warn", "waiting for NATS", { problem: fact.problem });
    case "index_current":
      return line("info", "index is current", { tasks: fact.tasks, seconds: fact.seconds });
    case "connection":
      return fact.state === "connected"
        ? line("info", "connected to NATS", { server: fact.server })
        : line("warn", "connection to NATS lost", { server: fact.server });
    case "background_error":
      return errorLine(`background work failed: ${fact.what}`, fact.cause, {});
    case "watch_failed":
      return line("warn", "watch of a bucket is interrupted, begins again", {
        bucket: fact.bucket,
        problem: asError(fact.cause).message,
      });
    case "variables_ignored":
      return line("debug", "variables of Kubernetes are no settings, ignored", {
        variables: fact.names,
      });
    case "warning":
      return line("warn", fact.message, {});
  }
}

function disconnectsLine({ areHeard, problem }: Extract<Fact, { kind: "disconnects" }>): LogLine {
  if (areHeard) return line("info", "lost connections are heard of: claims can end with them", {});
  if (problem === null) {
    return line("debug", "no user of the system account is set: leases end when they run out", {});
  }
  return line("warn", "lost connections are not heard of: leases end when they run out", {
    problem,
  });
}

function requestLine(fact: Extract<Fact, { kind: "request" }>): LogLine {
  const fields = {
    operation: fact.operation,
    outcome: fact.outcome,
    seconds: fact.seconds,
    principal: fact.principal,
  };
  switch (fact.outcome) {
    case "internal":
      return line("error", "request failed by a defect", { ...fields, err: asError(fact.cause) });
    case "overloaded":
      return line("warn", "request refused: more come in than are handled", fields);
    default:
      return line("debug", "request", fields);
  }
}

/** A defect has its stack; what an outage brings along has none. */
function errorLine(message: string, cause: unknown, fields: LogLine["fields"]): LogLine {
  return isFromOutage(cause)
    ? line("warn", message, { ...fields, problem: asError(cause).message })
    : line("error", message, { ...fields, err: asError(cause) });
}

function attemptOf(fact: { readonly taskId: string; readonly attempt: number }): LogLine["fields"] {
  return { task_id: fact.taskId, attempt: fact.attempt };
}

/** Anything can be thrown; only an `Error` is logged with a stack. */
function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(`not an Error: ${String(cause)}`);
}

function line(level: LogLevel, message: string, fields: LogLine["fields"]): LogLine {
  return { level, message, fields };
}

/** Of `CoordinatorError`. */
const CODES: ReadonlySet<unknown> = new Set(["unavailable", "bucket_unusable", "overloaded"]);

/** Of the NATS client. */
const NAMES: ReadonlySet<string> = new Set([
  ...["TimeoutError", "NoResponders", "RequestError", "ConnectionError"],
  ...["ClosedConnectionError", "DrainingConnectionError", "JetStreamApiError"],
  ...["JetStreamStatusError", "StreamNotFoundError", "ConsumerNotFoundError"],
]);

export function isFromOutage(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (NAMES.has(cause.name)) return true;
  return "code" in cause && CODES.has(cause.code);
}
