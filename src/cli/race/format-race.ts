/** The report of a race for people. */
import { counted } from "../shared/counted.ts";
import { formatRows } from "../shared/rows.ts";
import type { RaceReport } from "./figures.ts";

/** More violations than these say nothing new. */
const SHOWN = 10;

export function formatRace(report: RaceReport): string {
  const { tasks, sessions, claims, seconds, claims_per_second: rate, refusals } = report;
  const { p50, p95, p99, max } = report.latency_ms;
  const refused = Object.entries(refusals).map(([code, count]) => `${count} ${code}`);
  const rows = formatRows([
    ["winners", winners(report)],
    ["won by", `${report.sessions_that_won} of ${counted(sessions, "session")}`],
    ["claims", `${rate} a second (${claims} in ${seconds} s)`],
    ["latency", `p50 ${ms(p50)}, p95 ${ms(p95)}, p99 ${ms(p99)}, max ${ms(max)}`],
    ["refused", refused.length === 0 ? "none" : refused.join(", ")],
    ["left behind", leftBehind(report)],
  ]);
  const verdict = report.passed
    ? "passed: every task had exactly one winner"
    : "failed: not every task had exactly one winner";
  return [
    `${counted(sessions, "session")} claimed each of ${counted(tasks, "task")} at the same time`,
    "",
    rows,
    ...violations(report),
    "",
    verdict,
  ].join("\n");
}

function winners({ winners: { one, none, several }, tasks }: RaceReport): string {
  const others = [
    ...(none > 0 ? [`none for ${none}`] : []),
    ...(several > 0 ? [`several for ${several}`] : []),
  ];
  return [`exactly one for ${one} of ${counted(tasks, "task")}`, ...others].join(", ");
}

function violations({ violations: all }: RaceReport): string[] {
  if (all.length === 0) return [];
  const shown = all.slice(0, SHOWN).map(({ task_id: id, winners }) => {
    return `  ${id}: ${winners.length === 0 ? "no winner" : winners.join(", ")}`;
  });
  const hidden = all.length - shown.length;
  return ["", ...shown, ...(hidden > 0 ? [`  and ${hidden} more`] : [])];
}

function leftBehind({ left_behind: left, name }: RaceReport): string {
  if (left.length === 0) return "nothing";
  return `${counted(left.length, "task")}: if-coordinator task list --prefix ${name}-`;
}

function ms(value: number | null): string {
  return value === null ? "-" : `${value} ms`;
}
