/** What `prove` found, as a document. Lists have a limit, and the number of all entries next to them. */
import { RULES, UNCHECKED, type RuleName } from "../../history/rules.ts";
import type { Count, Violation } from "../../history/tally.ts";
import type { Proof } from "./examine.ts";

/** `unchecked`: nothing breaks the rule, but there was nothing that it could judge. */
export type RuleVerdict = "holds" | "broken" | "unchecked";

export interface RuleResult {
  readonly rule: RuleName;
  readonly guarantee: string;
  readonly holds: string;
  readonly verdict: RuleVerdict;
  readonly checked: number;
  readonly violations: number;
  readonly unchecked: number;
  readonly unchecked_tasks: number;
  /** Why, with the numbers. */
  readonly unchecked_because: Readonly<Record<string, number>>;
}

export interface ViolationRecord {
  readonly rule: RuleName;
  readonly task_id: string;
  readonly revision: number;
  readonly written_at: string | null;
  readonly session_id: string | null;
  readonly written_by: "worker" | "hand";
  readonly what: string;
}

export type ProofDocument = ReturnType<typeof documentOf>;

export function documentOf({ extent, judge, census }: Proof, limit: number) {
  const { tally } = judge;
  const rules = rulesOf(judge);
  const violations = [...tally.violations].sort((a, b) => a.revision - b.revision);
  const total = rules.reduce((sum, rule) => sum + rule.violations, 0);
  const unchecked = [...tally.uncheckedTasks()];
  let [tasks, trimmed] = [0, 0];
  for (const [, trail] of judge.judgedTrails()) {
    if (trail.past.kind === "known") tasks++;
    if (trail.isTrimmed) trimmed++;
  }
  return {
    ok: total === 0,
    tasks,
    sessions: census.sessions.size,
    revisions: census.revisions,
    removals: census.removals,
    written_by_hand: census.byHand,
    from: instant(census.from),
    to: instant(census.to),
    last_revision: extent.lastRevision,
    missing_revisions: extent.lastRevision - extent.entries,
    history: extent.history,
    trimmed_tasks: trimmed,
    not_tasks_total: census.unreadable,
    not_tasks: census.examples.slice(0, limit).map(({ taskId, revision, problem }) => {
      return { task_id: taskId, revision, problem };
    }),
    rules,
    violations_total: total,
    violations: violations.slice(0, limit).map(toRecord),
    unchecked_tasks_total: unchecked.length,
    unchecked_tasks: unchecked.slice(0, limit).map(({ taskId, rules: names }) => {
      return { task_id: taskId, rules: names };
    }),
  };
}

function rulesOf({ tally }: Proof["judge"]): RuleResult[] {
  const tasks = new Map<RuleName, number>();
  for (const { rules } of tally.uncheckedTasks()) {
    for (const rule of rules) tasks.set(rule, (tasks.get(rule) ?? 0) + 1);
  }
  return [...tally.counts].map(([rule, count]) => {
    const { guarantee, holds } = RULES[rule];
    return {
      rule,
      guarantee,
      holds,
      verdict: verdictOf(count),
      checked: count.checked,
      violations: count.violations,
      unchecked: count.unchecked,
      unchecked_tasks: tasks.get(rule) ?? 0,
      unchecked_because: Object.fromEntries(
        [...count.reasons].map(([reason, times]) => [UNCHECKED[reason], times]),
      ),
    };
  });
}

function verdictOf({ checked, violations }: Count): RuleVerdict {
  if (violations > 0) return "broken";
  return checked === 0 ? "unchecked" : "holds";
}

function toRecord(violation: Violation): ViolationRecord {
  const { rule, taskId, revision, writtenAt, sessionId, isByHand, what } = violation;
  return {
    rule,
    task_id: taskId,
    revision,
    written_at: instant(writtenAt),
    session_id: sessionId,
    written_by: isByHand ? "hand" : "worker",
    what,
  };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
