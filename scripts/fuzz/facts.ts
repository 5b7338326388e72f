/** What workers tell of a run, counted: how many requests, with which outcome, and what must not be. */
import type { Fact } from "../../src/service/ports.ts";

export interface FactCounts {
  readonly requests: number;
  readonly dropped: number;
  /** Facts that no message may bring about, in words. */
  readonly alarms: readonly string[];
}

const MAX_ALARMS = 50;

export class FactCounter {
  #requests = 0;
  #dropped = 0;
  readonly #alarms: string[] = [];

  readonly observe = (fact: Fact): void => {
    if (fact.kind === "request") this.#requests++;
    if (fact.kind === "request_dropped") this.#dropped++;
    const alarm = alarmOf(fact);
    if (alarm !== null && this.#alarms.length < MAX_ALARMS) this.#alarms.push(alarm);
  };

  get counts(): FactCounts {
    return { requests: this.#requests, dropped: this.#dropped, alarms: [...this.#alarms] };
  }
}

function alarmOf(fact: Fact): string | null {
  switch (fact.kind) {
    case "request":
      return fact.outcome === "internal"
        ? `internal in ${fact.operation}: ${text(fact.cause)}`
        : null;
    case "request_dropped":
      return fact.reason === "malformed" ? "a message was dropped as malformed" : null;
    case "background_error":
      return `background_error, ${fact.what}: ${text(fact.cause)}`;
    case "connection":
      return fact.state === "disconnected" ? "the connection to NATS was lost" : null;
    case "write_unknown":
      return `the write of ${fact.taskId} was not acknowledged`;
    case "lease_restored":
    case "lease_expired":
      return `${fact.kind} of ${fact.taskId}`;
    case "warning":
      return `warning: ${fact.message}`;
    default:
      return null;
  }
}

function text(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

export function sumOf(counts: readonly FactCounts[]): FactCounts {
  return {
    requests: counts.reduce((sum, { requests }) => sum + requests, 0),
    dropped: counts.reduce((sum, { dropped }) => sum + dropped, 0),
    alarms: counts.flatMap(({ alarms }) => alarms),
  };
}
