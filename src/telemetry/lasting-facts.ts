/** Which facts are of something that lasts or comes again and again: see `log-conditions.ts`. */
import type { Fact } from "../service/ports.ts";
import { isFromOutage, type LogLevel, type LogLine } from "./log-lines.ts";

export type Lasting =
  | {
      readonly kind: "begins";
      readonly key: string;
      /** What is told of it while it lasts, before "for 1m30s". */
      readonly still: string;
      readonly about?: LogLine["fields"];
      readonly within?: undefined;
    }
  | {
      readonly kind: "ends";
      readonly key: string;
      /** Before "after 1m30s". */
      readonly message: string;
    }
  | {
      readonly kind: "happens";
      readonly key: string;
      readonly message: string;
      readonly level: LogLevel;
      /** The state that it belongs to while that lasts. */
      readonly within?: string | undefined;
      /** Replaces fields of the last one where its number is told. */
      readonly about?: LogLine["fields"];
    };

const CONNECTION = "connection";

/** `null`: it stands for itself. */
export function lastingOf(fact: Fact): Lasting | null {
  switch (fact.kind) {
    case "connection":
      return fact.state === "disconnected"
        ? { kind: "begins", key: CONNECTION, still: "still without NATS" }
        : { kind: "ends", key: CONNECTION, message: "connected to NATS again" };
    case "start_waits":
      return fact.problem === null
        ? { kind: "ends", key: "start", message: "NATS is there" }
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
        ...burst("write", "writes are not acknowledged, their outcomes are unknown"),
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

/** Work of one kind, such as "lease of a": one that fails mostly does so for many tasks. */
function backgroundError({ what, cause }: Extract<Fact, { kind: "background_error" }>): Lasting {
  const [kind = what] = what.split(" of ");
  return isFromOutage(cause)
    ? {
        ...burst("background", "background work fails for want of NATS"),
        within: CONNECTION,
        about: { last: what },
      }
    : burst(`background ${kind}`, `background work fails: ${kind}`, "error");
}

function request({ outcome, operation }: Extract<Fact, { kind: "request" }>): Lasting | null {
  if (outcome === "internal") {
    return burst(`internal ${operation}`, "requests fail by a defect", "error");
  }
  if (outcome !== "overloaded") return null;
  return burst("overloaded", "requests are refused: more come in than are handled");
}
