/** Whether a simulation went as it should, judged by the history in the bucket. */
import { type Finding, type History, historyOf } from "../history/history.ts";
import { Judge } from "../history/judge.ts";
import { deedsRecorded, everyRevisionTold } from "../history/reports.ts";
import { type RuleName, RULES } from "../history/rules.ts";
import { AT_REST, judgeDependents } from "../history/state-rules.ts";
import type { Violation } from "../history/tally.ts";
import type { RecordedEntry } from "../nats/read-history.ts";
import type { Activity } from "./activity-log.ts";
import * as checks from "./checks.ts";

export interface CheckResult {
  readonly name: CheckName;
  /** What holds if the check passed. */
  readonly rule: string;
  readonly passed: boolean;
  /** The breaks of the rule, in words. */
  readonly problems: readonly string[];
}

export interface Verdict {
  readonly passed: boolean;
  readonly checks: readonly CheckResult[];
}

export interface Evidence {
  /** Every write to the bucket, in the order of the revisions. */
  readonly entries: readonly RecordedEntry[];
  /** The tasks that were imported. */
  readonly taskIds: readonly string[];
  /** What the sessions say they did. */
  readonly activities: readonly Activity[];
  /** The writes that a subscriber received, in this order. */
  readonly told: readonly { readonly taskId: string; readonly revision: number }[];
}

interface Check {
  readonly rule: string;
  readonly check: (history: History, evidence: Evidence) => Finding[];
}

/** The checks for a simulation only, in addition to the rules for every history. */
const CHECKS = {
  history_is_whole: {
    rule: "the history of every task is whole, from its creation on",
    check: (history, { entries, taskIds }) => checks.historyIsWhole(history, entries, taskIds),
  },
  all_complete: {
    rule: "every task is complete",
    check: (history, { taskIds }) => checks.allComplete(history, taskIds),
  },
  attempts_recovered: {
    rule: "every task whose attempt expired or failed was claimed again and completed",
    check: checks.attemptsRecovered,
  },
  activities_recorded: {
    rule: "every completion, failure and crash that the sessions report is in the history",
    check: (history, { activities }) => deedsRecorded(history, activities.map(checks.deedOf)),
  },
  updates_told: {
    rule: "a subscriber received every write, once and in order",
    check: (_, { entries, told }) => everyRevisionTold(entries, told, { isWhole: true }),
  },
} as const satisfies Record<string, Check>;

/** The sessions end before the bucket `leases` could be read. */
type JudgedRule = Exclude<RuleName, "claims_leased">;
export type CheckName = keyof typeof CHECKS | JudgedRule;

export function judge(evidence: Evidence): Verdict {
  const history = historyOf(evidence.entries);
  const own = (Object.keys(CHECKS) as (keyof typeof CHECKS)[]).map((name) => {
    const { rule, check }: Check = CHECKS[name];
    const problems = check(history, evidence).map(({ taskId, what }) => `${taskId ?? ""}: ${what}`);
    return { name, rule, passed: problems.length === 0, problems };
  });
  const results = [...own, ...judgeRules(evidence)];
  return { passed: results.every((result) => result.passed), checks: results };
}

function judgeRules({ entries }: Evidence): CheckResult[] {
  const judge = new Judge();
  for (const entry of entries) judge.take(entry);
  judgeDependents(judge, AT_REST);
  const { violations } = judge.tally;
  return Object.entries(RULES).flatMap(([name, { holds }]) => {
    if (!isJudged(name)) return [];
    const problems = violations.filter(({ rule }) => rule === name).map(inWords);
    return { name, rule: holds, passed: problems.length === 0, problems };
  });
}

function isJudged(name: string): name is JudgedRule {
  return name !== "claims_leased";
}

function inWords({ taskId, revision, what }: Violation): string {
  return `${taskId}, revision ${revision}: ${what}`;
}
