/** Which facts belong to a state that lasts, or to a burst: see `log-conditions.ts`. */
import type { Fact } from "../service/ports.ts";
import { isFromOutage, type LogLevel, type LogLine } from "./log-lines.ts";

export type Lasting =
  | {
      readonly kind: "begins";
      readonly key: string;
      /** The message while it lasts. "for 1m30s" follows. */
      readonly still: string;
      readonly about?: LogLine["fields"];
      readonly within?: undefined;
    }
  | {
      readonly kind: "ends";
      readonly key: string;
      /** "after 1m30s" follows. */
      readonly message: string;
    }
  | {
      readonly kind: "happens";
      readonly key: string;
      readonly message: string;
      readonly level: LogLevel;
      /** How many events have lines of their own before they are only counted. Default: 1. */
      readonly own?: number;
      /** Whose events these are: each principal is counted by itself, up to `MAX_NAMED` of them. */
      readonly of?: string;
      /** How many events it stands for. Default: 1. */
      readonly times?: number;
      /** The state that it is counted in while that state lasts. */
      readonly within?: string | undefined;
      /** Fields for the lines that count the events. They replace those of the last event. */
      readonly about?: LogLine["fields"];
    };

type RequestFact = Extract<Fact, { kind: "request" }>;

const FEW = 10;
const CONNECTION = "connection";

/** `null`: the fact gets a line of its own. */
export function lastingOf(fact: Fact): Lasting | null {
  switch (fact.kind) {
    case "connection":
      return fact.state === "disconnected"
        ? { kind: "begins", key: CONNECTION, still: "still without NATS" }
        : { kind: "ends", key: CONNECTION, message: "connected to NATS again" };
    case "start_waits":
      return fact.problem === null
        ? { kind: "ends", key: "start", message: "NATS is available" }
        : {
            kind: "begins",
            key: "start",
            still: "still waiting for NATS",
            about: { problem: fact.problem },
          };
    case "writes_refused":
      return writesRefused(fact);
    case "bucket_problem":
      return bucketProblem(fact);
    case "audit_problem":
      return fact.problem === null
        ? { kind: "ends", key: "audit", message: "audit is stored again" }
        : {
            kind: "begins",
            key: "audit",
            still: "audit is not stored",
            about: { problem: fact.problem },
          };
    case "audit_lost":
      return { ...burst("audit lost", "entries of the audit are lost"), within: CONNECTION };
    case "background_error":
      return backgroundError(fact);
    case "watch_failed":
      return { ...burst("watch", "watch of a bucket is interrupted"), within: CONNECTION };
    case "write_unknown":
      return {
        ...burst("write", "writes are not acknowledged, their outcome is unknown"),
        within: CONNECTION,
      };
    case "request":
      return request(fact);
    case "request_dropped":
      return {
        ...burst(`dropped ${fact.reason}`, "requests are dropped", "info"),
        times: fact.times,
      };
    case "lease_restored":
      return burst("restored", "claims without a lease get one");
    case "lease_expired":
      return few(burst("expired", "leases expire", "info"));
    case "lease_disconnected":
      return few(
        burst("disconnected", "leases end because sessions lose their connections", "info"),
      );
    case "session_replaced":
      return few(burst("replaced", "sessions are taken over by other instances", "info"));
    case "requeued_by_operator":
      return fact.from === null
        ? few(burst("requeued", "tasks are requeued by an operator", "info"))
        : few(burst("taken", "tasks are taken from their holders by an operator"));
    case "corrupt_record":
      return few(burst("corrupt", "values in the bucket are not tasks, ignored"));
    default:
      return null;
  }
}

/** The first events, of which each is worth a line: it names a task or a session. */
function few<T extends object>(burst: T): T & { readonly own: number } {
  return { ...burst, own: FEW };
}

function burst(key: string, message: string, level: LogLevel = "warn") {
  return { kind: "happens", key, message, level } as const;
}

function bucketProblem({ bucket, problem }: Extract<Fact, { kind: "bucket_problem" }>): Lasting {
  const key = `bucket ${bucket}`;
  if (problem === null) return { kind: "ends", key, message: "bucket can be used again" };
  const about = { bucket, problem };
  return { kind: "begins", key, still: "bucket cannot be used", about };
}

function writesRefused({ bucket, reason }: Extract<Fact, { kind: "writes_refused" }>): Lasting {
  const key = `writes to ${bucket}`;
  if (reason === null) return { kind: "ends", key, message: "bucket no longer refuses writes" };
  const about = { bucket, reason };
  return { kind: "begins", key, still: "bucket refuses every write", about };
}

/** The kind of work counts, such as "lease" of "lease of a": if it fails, it mostly does so for many tasks. */
function backgroundError({ what, cause }: Extract<Fact, { kind: "background_error" }>): Lasting {
  const [kind = what] = what.split(/ of | after /);
  return isFromOutage(cause)
    ? {
        ...burst("background", "background work fails because NATS cannot be used"),
        within: CONNECTION,
        about: { last: what },
      }
    : burst(`background ${kind}`, `background work fails: ${kind}`, "error");
}

function request({ outcome, operation, principal }: RequestFact): Lasting | null {
  switch (outcome) {
    case "internal":
      return burst(`internal ${operation}`, "requests fail because of a defect", "error");
    case "overloaded":
      return by(principal, burst(outcome, "requests are refused because the worker is overloaded"));
    case "forbidden":
      return by(
        principal,
        burst(outcome, "requests are refused because they are forbidden", "info"),
      );
    case "limit_reached":
      return by(principal, burst(outcome, "requests are refused because of a limit", "info"));
    default:
      return null;
  }
}

function by<T extends object>(principal: string | null, burst: T): T & { readonly of?: string } {
  return principal === null ? burst : { ...burst, of: principal };
}
