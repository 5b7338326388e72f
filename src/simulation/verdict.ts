/** Whether a simulation went as it should, judged by the history in the bucket. */
import { type Finding, type History, historyOf } from "../history/history.ts";
import * as rules from "../history/rules.ts";
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

const CHECKS = {
  history_is_whole: {
    rule: "the history of every task is whole, from its creation on",
    check: (history, { entries, taskIds }) => checks.historyIsWhole(history, entries, taskIds),
  },
  all_complete: {
    rule: "every task is complete",
    check: (history, { taskIds }) => checks.allComplete(history, taskIds),
  },
  completed_once: {
    rule: "every task was completed exactly once",
    check: (history, { taskIds }) => checks.completedOnce(history, taskIds),
  },
  dependencies_first: {
    rule: "no task was claimed before all of its dependencies were complete",
    check: rules.dependenciesFirst,
  },
  one_holder_per_attempt: {
    rule: "no attempt had two holders, and each claim raised the attempt by one",
    check: rules.oneHolderPerAttempt,
  },
  tokens_grow: {
    rule: "the fencing token of each claim is the revision that the claim replaced",
    check: rules.tokensGrow,
  },
  events_chain: {
    rule: "each event begins with the status that the one before it ended with",
    check: rules.eventsChain,
  },
  attempts_recovered: {
    rule: "every task whose attempt expired or failed was claimed again and completed",
    check: checks.attemptsRecovered,
  },
  activities_recorded: {
    rule: "every completion, failure and crash that the sessions report is in the history",
    check: (history, { activities }) => rules.deedsRecorded(history, activities.map(checks.deedOf)),
  },
  updates_told: {
    rule: "a subscriber received every write, once and in order",
    check: (_, { entries, told }) => rules.everyRevisionTold(entries, told, { isWhole: true }),
  },
} as const satisfies Record<string, Check>;
export type CheckName = keyof typeof CHECKS;

export function judge(evidence: Evidence): Verdict {
  const history = historyOf(evidence.entries);
  const results = (Object.keys(CHECKS) as CheckName[]).map((name) => {
    const { rule, check }: Check = CHECKS[name];
    const problems = check(history, evidence).map(({ taskId, what }) => `${taskId ?? ""}: ${what}`);
    return { name, rule, passed: problems.length === 0, problems };
  });
  return { passed: results.every((result) => result.passed), checks: results };
}
