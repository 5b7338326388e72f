/** What workers report of a run: counts of requests, alarms, and their levels of memory and subscriptions. */
import type { Fact } from "../../src/service/ports.ts";

export interface FactCounts {
  readonly requests: number;
  readonly dropped: number;
  /** Facts that no message may cause, in words. */
  readonly alarms: readonly string[];
}

export interface Level {
  /** The bytes of memory of each worker. */
  readonly heaps: readonly number[];
  /** The subscriptions of each worker, as the NATS server counts them. */
  readonly subscriptions: readonly number[];
}

const MAX_ALARMS = 50;
/** Memory that workers keep for good reasons, such as statistics, and the error of the measurement. */
const HEAP_SLACK_BYTES = 16 * 1024 * 1024;

export class FactCounter {
  #requests = 0;
  #dropped = 0;
  readonly #alarms: string[] = [];

  readonly observe = (fact: Fact): void => {
    if (fact.kind === "request") this.#requests++;
    if (fact.kind === "request_dropped") this.#dropped += fact.times;
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

/**
 * Whether memory and subscriptions of the workers are back to where they were.
 *
 * @param levels at the beginning, after warming up if there was time for it, and at the end
 */
export function levelProblems(levels: readonly Level[]): string[] {
  const [first, ...later] = levels;
  const last = later.at(-1);
  if (first === undefined || last === undefined) return [];
  const [was, is] = [first.subscriptions.join(", "), last.subscriptions.join(", ")];
  const problems = was === is ? [] : [`the workers had ${was} subscriptions and have ${is}`];
  const warm = later.length > 1 ? (later[0] ?? first) : first;
  for (const [i, heap] of last.heaps.entries()) {
    const grown = heap - (warm.heaps[i] ?? 0);
    if (grown <= HEAP_SLACK_BYTES) continue;
    problems.push(`the memory of a worker has grown by ${Math.round(grown / 1024)} KiB`);
  }
  return problems;
}
