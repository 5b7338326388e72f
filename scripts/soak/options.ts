/** The options of `npm run soak`. */
import { parse } from "../options/command-line.ts";
import { duration, nodes, seed, text, whole, workers } from "../options/kinds.ts";

export const SCRIPT = {
  name: "npm run soak",
  does: "Runs load and rare faults for long, and judges whether anything grows without bound.",
  options: {
    duration: duration("how long load and faults last, without warm-up and quiet", "20m"),
    seed: seed("repeats the schedule of an earlier run"),
    nodes: nodes(3),
    workers: workers(3),
    sessions: whole("sessions that send random requests", 6),
    report: text("<file>", "the file for the report", "soak-report.html"),
  },
};

export type SoakOptions = ReturnType<typeof parseOptions>;

/** @throws UsageError */
export function parseOptions(args: readonly string[]) {
  const { duration: durationMs, ...others } = parse(SCRIPT, args).values;
  return { ...others, durationMs };
}

/** The options that repeat the run, without the path of the report. */
export function formatOptions(options: SoakOptions): string {
  const { seed, durationMs, nodes, workers, sessions } = options;
  return `--seed ${seed} --nodes ${nodes} --workers ${workers} --sessions ${sessions} --duration ${durationMs / 1000}s`;
}
