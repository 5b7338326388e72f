/** The summary of a simulation for people. */
import { colors } from "../shared/colors.ts";
import type { Figures } from "../../simulation/figures.ts";
import type { SimulationOptions } from "../../simulation/options.ts";
import type { EndReason, Summary } from "../../simulation/run.ts";
import { formatRows } from "../shared/rows.ts";

/** More problems of one check add nothing new. */
const MAX_PROBLEMS = 5;

export function formatOptions(options: SimulationOptions, tasks: number): string {
  const { sessions, workers, crashRate, failRate, seed } = options;
  return (
    `${tasks} tasks, ${sessions} sessions, ${workers} workers, crash rate ${crashRate}, ` +
    `fail rate ${failRate}, seed ${seed}`
  );
}

export function formatSummary(summary: Summary): string {
  if (summary.ended === "interrupted") return colors.red(`stopped: ${ENDS.interrupted}`);
  const verdict = summary.passed
    ? colors.green("passed: every check holds")
    : colors.red(`failed: ${ENDS[summary.ended]}`);
  return [
    "",
    `Checked against the history in the bucket "tasks" (${summary.figures.events} writes):`,
    ...summary.checks.flatMap(formatCheck),
    "",
    formatFigures(summary),
    LATENCY_NOTE,
    "",
    verdict,
  ].join("\n");
}

const ENDS: Record<EndReason, string> = {
  all_complete: "not every check holds",
  stalled: "the tasks stopped changing before all of them were complete",
  interrupted: "interrupted before all tasks were complete",
};

function formatCheck({ passed, rule, problems }: Summary["checks"][number]): string[] {
  const shown = problems.slice(0, MAX_PROBLEMS).map((problem) => `      ${problem}`);
  const hidden = problems.length - shown.length;
  return [
    `  ${passed ? colors.green("✔") : colors.red("✘")} ${rule}`,
    ...shown,
    ...(hidden > 0 ? [`      and ${hidden} more`] : []),
  ];
}

const LATENCY_NOTE =
  "  (claim latency: from request to reply as a session measures it, for requests that found a ready\n" +
  "  task and did not wait; sessions and workers share one process)";

function formatFigures({ figures, sessions }: Summary): string {
  const lines: [string, string][] = [
    ["tasks complete", `${figures.completed} of ${figures.tasks}`],
    [
      "dependencies",
      `${figures.dependencies}, the longest chain has ${figures.longest_chain} tasks`,
    ],
    ["claims", String(figures.claims)],
    ["expired attempts", `${figures.expired_attempts} leases expired`],
    ["failed attempts", String(figures.failed_attempts)],
    ["wall time", `${figures.wall_seconds} s`],
    ["events per second", String(figures.events_per_second)],
    ["claim latency", formatLatency(figures.claim_latency_ms)],
  ];
  if (sessions.lost > 0) {
    lines.push(["leases lost", `${sessions.lost} expired while their session was still working`]);
  }
  return formatRows(lines);
}

function formatLatency({ count, p50, p95, p99 }: Figures["claim_latency_ms"]): string {
  if (p50 === null) return "no claim was answered without waiting";
  return `p50 ${p50} ms, p95 ${p95 ?? "-"} ms, p99 ${p99 ?? "-"} ms of ${count} requests`;
}
