/** The result of an import, for programs and for people. */
import { counted } from "../shared/counted.ts";
import type { Finding } from "../../task-files/findings.ts";
import type { ReadResult } from "../../task-files/read.ts";
import { printable } from "../shared/terminal-text.ts";
import type { Difference, ImportPlan } from "./compare-tasks.ts";

/** The document of `--json`. */
export interface ImportReport {
  readonly ok: true;
  /** The number of tasks in the files. */
  readonly total: number;
  readonly created: readonly string[];
  readonly unchanged: readonly string[];
  /** With `--update`: existing tasks that have the definition of the files now. */
  readonly updated: readonly string[];
  readonly conflicting: readonly Difference[];
  /** The number of entries of the files that are no tasks to import. The warnings say which. */
  readonly skipped: number;
  readonly warnings: readonly { readonly place: string | null; readonly message: string }[];
}

/** So many differing tasks are named; of the others only their number. */
const MAX_SHOWN = 20;

export function planReport(
  plan: ImportPlan,
  { tasks, findings }: ReadResult,
  warnings: readonly Finding[],
): ImportReport {
  const [total, skipped] = [tasks.length, findings.skipped];
  return { ok: true, total, ...plan, updated: [], skipped, warnings: warnings.map(placed) };
}

export function placed({ place, message }: Finding): ImportReport["warnings"][number] {
  return { place, message };
}

/** What `--dry-run` prints: a line for each task, and the numbers. */
export function formatPlan(
  plan: ImportPlan,
  { tasks, findings }: ReadResult,
  isUpdate: boolean,
): string {
  const created = new Set(plan.created);
  const differing = new Map(plan.conflicting.map((difference) => [difference.task_id, difference]));
  const width = tasks.reduce((most, { task_id }) => Math.max(most, task_id.length), 0);
  const lines = tasks.map(({ task_id, title = "", status }) => {
    const difference = differing.get(task_id);
    const id = task_id.padEnd(width);
    const end = status === undefined ? "" : ` (${status})`;
    if (created.has(task_id)) return `create     ${id}  ${printable(title)}${end}`;
    if (difference === undefined) return `unchanged  ${id}  ${printable(title)}`;
    return `${isUpdate ? "update   " : "differs  "}  ${id}  ${formatDifference(difference)}`;
  });
  const { length: differ } = plan.conflicting;
  const others = isUpdate ? `update ${differ}` : `${differ} exist with another definition`;
  return [
    ...lines.map((line) => line.trimEnd()),
    `dry run: would create ${plan.created.length}, ${others}, ${plan.unchanged.length} exist unchanged` +
      (findings.skipped > 0 ? `, skipped ${findings.skipped}` : ""),
  ].join("\n");
}

export function formatReport(report: ImportReport): string {
  const { created, unchanged, updated, conflicting, skipped } = report;
  const counts = [
    `created ${created.length}`,
    ...(updated.length > 0 ? [`updated ${updated.length}`] : []),
    `unchanged ${unchanged.length}`,
    ...(conflicting.length > 0 ? [`differing ${conflicting.length}`] : []),
    ...(skipped > 0 ? [`skipped ${skipped}`] : []),
  ];
  return [
    `${counted(report.total, "task")}: ${counts.join(", ")}`,
    ...conflicting
      .slice(0, MAX_SHOWN)
      .map((difference) => `differs  ${difference.task_id}  ${formatDifference(difference)}`),
    ...(conflicting.length > MAX_SHOWN ? [`and ${conflicting.length - MAX_SHOWN} more`] : []),
  ].join("\n");
}

function formatDifference({ fields, created_by }: Difference): string {
  const by = created_by === null ? "" : ` (created by ${created_by})`;
  return printable(`${fields.join(", ")}${by}`);
}
