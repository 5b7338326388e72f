/** Judges what an attack has done to the others. Pure. */
import { quantile } from "../lab/statistics.ts";
import type { Sample } from "./honest-agent.ts";

/** What is promised, whether it held, and what was seen. */
export interface Finding {
  readonly promise: string;
  readonly holds: boolean;
  readonly seen: string;
}

export interface Observed {
  /** How the worker ended, each time. */
  readonly deaths: readonly string[];
  readonly notReady: number;
  readonly lost: readonly string[];
  /** Of the honest sessions, from the attack on. */
  readonly samples: readonly Sample[];
  readonly workerMiB: number;
  readonly logBytes: number;
}

export interface Bounds {
  /** `null`: nothing is promised about the time of an answer, so it may also come too late. */
  readonly p99Ms: number | null;
  readonly workerMiB: number;
  readonly logBytes: number;
}

export const BOUNDS: Bounds = { p99Ms: 250, workerMiB: 768, logBytes: 256 * 1024 };

/** On a machine that does other work. */
export const UNTIMED: Pick<Bounds, "p99Ms"> = { p99Ms: null };

/** Of requests that took too long: here, in the worker, or between the two. */
const TOO_LATE: readonly string[] = ["no answer", "overloaded", "unavailable"];

const MOST_SHOWN = 3;

/** What every row promises. */
export function judge(observed: Observed, bounds: Bounds = BOUNDS): Finding[] {
  const { deaths, notReady, lost, samples, workerMiB, logBytes } = observed;
  const forgiven = bounds.p99Ms === null ? ["ok", ...TOO_LATE] : ["ok"];
  const failed = samples.filter(({ outcome }) => !forgiven.includes(outcome));
  const { p99, max } = latencies(samples);
  const finding = (promise: string, holds: boolean, seen: string): Finding => {
    return { promise, holds, seen };
  };
  const findings = [
    finding("no worker dies", deaths.length === 0, deaths.join(", ") || "none died"),
    ...(bounds.p99Ms === null
      ? []
      : [finding("the worker stays ready", notReady === 0, `not ready ${notReady} times`)]),
    finding("no lease of others is lost", lost.length === 0, shown(lost)),
    finding("requests of others are served", failed.length === 0, counted(failed, samples.length)),
    finding(
      `memory of the worker below ${bounds.workerMiB} MiB`,
      workerMiB < bounds.workerMiB,
      `${Math.round(workerMiB)} MiB`,
    ),
    finding(
      `log below ${bounds.logBytes / 1024} KiB`,
      logBytes < bounds.logBytes,
      `${Math.round(logBytes / 1024)} KiB`,
    ),
  ];
  if (bounds.p99Ms === null) return findings;
  const promise = `p99 of others below ${bounds.p99Ms} ms`;
  return [...findings, finding(promise, p99 < bounds.p99Ms, `${round(p99)} ms, at most ${max} ms`)];
}

export interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** In milliseconds. A request without an answer counts with the time for which its sender has waited. */
export function latencies(samples: readonly Sample[]): Latencies {
  const values = samples.map(({ ms }) => ms);
  return {
    p50: round(quantile(values, 0.5)),
    p99: round(quantile(values, 0.99)),
    max: round(quantile(values, 1)),
  };
}

function counted(failed: readonly Sample[], all: number): string {
  const counts = new Map<string, number>();
  for (const { operation, outcome } of failed) {
    const name = `${operation}: ${outcome}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_SHOWN);
  const names = most.map(([name, count]) => `${name} (${count})`).join(", ");
  return `${failed.length} of ${all} failed${names === "" ? "" : `: ${names}`}`;
}

function shown(lines: readonly string[]): string {
  if (lines.length === 0) return "none was lost";
  const more = lines.length > MOST_SHOWN ? `, and ${lines.length - MOST_SHOWN} more` : "";
  return lines.slice(0, MOST_SHOWN).join(", ") + more;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
