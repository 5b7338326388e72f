/** The options of `npm run soak`. */
import { parse } from "../options/command-line.ts";
import { duration, nodes, seed, text, whole, workers } from "../options/kinds.ts";

export interface SoakOptions {
  readonly seed: number;
  /** How long load and faults last; the warm-up before and the quiet after them come on top. */
  readonly durationMs: number;
  /** 1: one replica; 3: a cluster with three. */
  readonly nodes: number;
  readonly workers: number;
  readonly sessions: number;
  /** Path of the report. */
  readonly report: string;
}

export const SCRIPT = {
  name: "npm run soak",
  does: "A long run under load and rare faults, and whether anything grows without bound.",
  options: {
    duration: duration("how long load and faults last", "20m"),
    seed: seed("repeats the schedule of an earlier run"),
    nodes: nodes(3),
    workers: workers(3),
    sessions: whole("sessions that ask for whatever chance tells them to", 6),
    report: text("<file>", "where the report goes", "soak-report.html"),
  },
};

/** @throws UsageError */
export function parseOptions(args: readonly string[]): SoakOptions {
  const { duration: durationMs, ...others } = parse(SCRIPT, args).values;
  return { ...others, durationMs };
}

/** As a command takes them, without the path of the report. */
export function formatOptions(options: SoakOptions): string {
  const { seed, durationMs, nodes, workers, sessions } = options;
  return `--seed ${seed} --nodes ${nodes} --workers ${workers} --sessions ${sessions} --duration ${durationMs / 1000}s`;
}
