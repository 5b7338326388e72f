/**
 * The texts of the log: which facts are logged, at which level, and what each line says.
 *
 * Facts that occur thousands of times a second (requests, transitions, leases) are logged at `debug`. So a
 * coordinator without problems logs nothing at `info`.
 */
import type { Fact } from "../service/ports.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** With the names of the protocol. An `Error` under `err` is logged with its stack. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Whether the fact is logged at `debug` alone. Most facts are, thousands of times a second. */
export function isRoutine(fact: Fact): boolean {
  switch (fact.kind) {
    case "request":
      return !SPECIAL_OUTCOMES.has(fact.outcome);
    case "task_written":
    case "lease_granted":
    case "write_conflict":
    case "answer_undelivered":
    case "task_removed":
    case "lease_spared":
      return true;
    default:
      return false;
  }
}

const SPECIAL_OUTCOMES: ReadonlySet<string> = new Set([
  ...["internal", "overloaded", "forbidden", "limit_reached"],
]);

export function logLineOf(fact: Fact): LogLine {
  switch (fact.kind) {
    case "request":
      return requestLine(fact);
    case "request_dropped":
      return line("info", "requests dropped without an answer", {
        reason: fact.reason,
      });
    case "answer_undelivered":
      return line("debug", "answer reached nobody", { operation: fact.operation });
    case "task_written":
      return line("debug", "task written", {
        task_id: fact.taskId,
        event: fact.event,
        attempt: fact.attempt,
        revision: fact.revision,
        session_id: fact.sessionId,
        principal: fact.principal,
      });
    case "write_conflict":
      return line("debug", "write conflicts with another one, deciding again", {
        task_id: fact.taskId,
      });
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
      return line("warn", "lease restored for a claim without one", attemptOf(fact));
    case "lease_expired":
      return line("info", "lease expired", attemptOf(fact));
    case "lease_disconnected":
      return line("info", "lease ended because its session lost its connection", attemptOf(fact));
    case "session_replaced":
      return line(
        "info",
        "session taken over by another instance, its earlier claims are returned",
        {
          session_id: fact.sessionId,
          released: fact.released,
        },
      );
    case "disconnects":
      return disconnectsLine(fact);
    case "lease_spared":
      return line("debug", "lease expired in an outage, it can still be renewed", attemptOf(fact));
    case "outage_grace":
      return line("warn", "outage is over, leases that expired in it can still be renewed", {
        seconds: fact.seconds,
        spared: fact.spared,
      });
    case "task_removed":
      return line("debug", "task removed after its retention time", { task_id: fact.taskId });
    case "corrupt_record":
      return line("warn", "value in the bucket is not a task, ignored", {
        task_id: fact.taskId,
        problem: fact.problem,
      });
    case "bucket_made":
      return line("info", "bucket created", { bucket: fact.bucket });
    case "bucket_remade":
      return line("warn", "bucket was deleted, created it again", { bucket: fact.bucket });
    case "bucket_replaced":
      return line("warn", "bucket was deleted and created again, its former content is lost", {
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
    case "stream_made":
      return line("info", "stream created", { stream: fact.stream });
    case "audit_problem":
      return fact.problem === null
        ? line("info", "audit is stored", {})
        : line("error", "audit is not stored", { problem: fact.problem });
    case "audit_lost":
      return line("warn", "entries of the audit are lost", {
        entries: fact.entries,
        reason: fact.reason,
      });
    case "start_waits":
      return fact.problem === null
        ? line("info", "NATS is available", {})
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
      return line("warn", "watch of a bucket is interrupted, starting it again", {
        bucket: fact.bucket,
        problem: asError(fact.cause).message,
      });
    case "variables_ignored":
      return line("debug", "variables of Kubernetes ignored, they are not settings", {
        variables: fact.names,
      });
    case "warning":
      return line("warn", fact.message, {});
  }
}

function disconnectsLine({
  areReported,
  problem,
}: Extract<Fact, { kind: "disconnects" }>): LogLine {
  if (areReported) {
    return line(
      "info",
      "disconnect reports are available: claims with release_on_disconnect end when their connection does",
      {},
    );
  }
  if (problem === null) {
    return line(
      "debug",
      "no user of the system account is set: leases end only when they expire",
      {},
    );
  }
  return line("warn", "disconnect reports are not available: leases end only when they expire", {
    problem,
  });
}

function requestLine(fact: Extract<Fact, { kind: "request" }>): LogLine {
  const fields = {
    operation: fact.operation,
    outcome: fact.outcome,
    seconds: fact.seconds,
    principal: fact.principal,
    id: fact.id,
    session_id: fact.sessionId,
  };
  switch (fact.outcome) {
    case "internal":
      return line("error", "request failed because of a defect", {
        ...fields,
        err: asError(fact.cause),
      });
    case "overloaded":
      return line("warn", "request refused because the worker is overloaded", fields);
    case "forbidden":
      return line("info", "request refused because it is forbidden", fields);
    case "limit_reached":
      return line("info", "request refused because its sender has reached a limit", fields);
    default:
      return line("debug", "request", fields);
  }
}

/** A defect is logged with its stack, an error that comes from an outage without. */
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

/** The codes of `CoordinatorError` that come from an outage. */
const CODES: ReadonlySet<unknown> = new Set(["unavailable", "bucket_unusable", "overloaded"]);

/** The names of the errors of the NATS client that come from an outage. */
const NAMES: ReadonlySet<string> = new Set([
  ...["TimeoutError", "NoResponders", "RequestError", "ConnectionError"],
  ...["ClosedConnectionError", "DrainingConnectionError", "JetStreamApiError"],
  ...["JetStreamStatusError", "StreamNotFoundError", "ConsumerNotFoundError"],
]);

/** Whether an error comes from an outage. It is not a defect then, and its stack says nothing. */
export function isFromOutage(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (NAMES.has(cause.name)) return true;
  return "code" in cause && CODES.has(cause.code);
}
