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
      /** The state that it is counted in while that state lasts. */
      readonly within?: string | undefined;
      /** Fields for the lines that count the events. They replace those of the last event. */
      readonly about?: LogLine["fields"];
    };

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
      return burst(`dropped ${fact.reason}`, "requests are dropped", "info");
    case "lease_restored":
      return burst("restored", "claims without a lease get one");
    default:
      return null;
  }
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
  const [kind = what] = what.split(" of ");
  return isFromOutage(cause)
    ? {
        ...burst("background", "background work fails because NATS cannot be used"),
        within: CONNECTION,
        about: { last: what },
      }
    : burst(`background ${kind}`, `background work fails: ${kind}`, "error");
}

function request({ outcome, operation }: Extract<Fact, { kind: "request" }>): Lasting | null {
  if (outcome === "internal") {
    return burst(`internal ${operation}`, "requests fail because of a defect", "error");
  }
  if (outcome !== "overloaded") return null;
  return burst("overloaded", "requests are refused because the worker is overloaded");
}
