/** What `prove` found, for people: a line for each rule, then each violation. */
import { counted } from "../shared/counted.ts";
import { colors } from "../shared/colors.ts";
import { formatTable } from "../shared/table.ts";
import { printable } from "../shared/terminal-text.ts";
import type { ProofDocument, RuleResult, RuleVerdict } from "./document.ts";

const MARKS: Readonly<Record<RuleVerdict, string>> = {
  holds: colors.green("✔"),
  broken: colors.red("✘"),
  unchecked: colors.dim("–"),
};

export function formatReport(proof: ProofDocument): string {
  return [
    `Read ${scopeOf(proof)}:`,
    ...proof.rules.map(lineOf),
    ...violationsOf(proof),
    ...notesOf(proof),
    "",
    verdictOf(proof),
  ].join("\n");
}

function scopeOf({
  revisions,
  tasks,
  sessions,
  from,
  to,
  last_revision: last,
}: ProofDocument): string {
  const span = from === null || to === null ? "" : `, from ${from} to ${to}`;
  return (
    `${counted(revisions, "revision")} of ${counted(tasks, "task")} by ` +
    `${counted(sessions, "session")}${span}, up to revision ${last}`
  );
}

function lineOf(result: RuleResult): string {
  const { verdict, rule, holds, checked, violations } = result;
  const broken = violations > 0 ? `, ${violations} broken` : "";
  const none = result.unchecked === 0 ? "nothing to check" : "could not be checked";
  const checks = verdict === "unchecked" ? none : `${checked} checked${broken}`;
  const gaps = Object.entries(result.unchecked_because).map(([why, times]) => {
    return colors.dim(`      ${times} not checked, because ${why}`);
  });
  const tasks =
    result.unchecked === 0
      ? []
      : [colors.dim(`      in ${counted(result.unchecked_tasks, "task")}`)];
  const line = `  ${MARKS[verdict]} ${holds} ${colors.dim(`(${rule}: ${checks})`)}`;
  return [line, ...gaps, ...tasks].join("\n");
}

function violationsOf({ violations, violations_total: total }: ProofDocument): string[] {
  if (total === 0) return [];
  const rows = violations.map((violation) => [
    violation.task_id,
    String(violation.revision),
    violation.written_at ?? "-",
    violation.session_id ?? "-",
    violation.rule,
    violation.written_by === "hand" ? `${violation.what} (written by hand)` : violation.what,
  ]);
  const hidden = total - violations.length;
  return [
    "",
    ...(rows.length === 0
      ? []
      : [formatTable(["TASK", "REVISION", "TIME", "SESSION", "RULE", "WHAT"], rows)]),
    ...(hidden > 0 ? [`and ${hidden} more (--limit shows more of them)`] : []),
  ];
}

function notesOf(proof: ProofDocument): string[] {
  const { missing_revisions: missing, trimmed_tasks: trimmed, not_tasks_total: notTasks } = proof;
  const notes: string[] = [];
  if (missing > 0) {
    notes.push(
      `${missing} of ${proof.last_revision} revisions are gone from the bucket, which keeps ` +
        `${proof.history} of each task and removes old tasks. Nobody can judge what they were.`,
    );
  }
  if (trimmed > 0) notes.push(`The history of ${counted(trimmed, "task")} begins in the middle.`);
  if (proof.written_by_hand > 0) {
    notes.push(`${counted(proof.written_by_hand, "record")} did not come from a worker.`);
  }
  if (notTasks > 0) {
    const [example] = proof.not_tasks;
    const such =
      example === undefined
        ? ""
        : `, such as revision ${example.revision} of ${example.task_id}: ${example.problem}`;
    notes.push(`${counted(notTasks, "value")} cannot be read as a task${such}`);
  }
  return notes.length === 0 ? [] : ["", ...notes.map(printable)];
}

function verdictOf({ ok, rules, violations_total: total }: ProofDocument): string {
  const unchecked = rules.filter(({ unchecked }) => unchecked > 0).length;
  const limits = unchecked === 0 ? "" : `; ${unchecked} rules could not judge everything`;
  if (ok) return colors.green(`nothing breaks a rule${limits}`);
  const broken = rules.filter(({ verdict }) => verdict === "broken").length;
  return colors.red(`${counted(total, "violation")} of ${counted(broken, "rule")}${limits}`);
}
