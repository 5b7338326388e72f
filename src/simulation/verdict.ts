/** Whether a simulation went as it should, judged by the history in the bucket. */
import type { Activity } from "./activity-log.ts";
import * as checks from "./checks.ts";
import type { Evidence, TaskState } from "./checks.ts";
import type { RecordedEntry } from "../nats/read-history.ts";

export interface CheckResult {
  readonly name: CheckName;
  /** What holds if the check passed. */
  readonly rule: string;
  readonly passed: boolean;
  /** What breaks the rule, in words. */
  readonly problems: readonly string[];
}

export interface Verdict {
  readonly passed: boolean;
  readonly checks: readonly CheckResult[];
}

const CHECKS = {
  history_is_whole: {
    rule: "the history of every task is whole, from its creation on",
    check: checks.historyIsWhole,
  },
  all_complete: { rule: "every task is complete", check: checks.allComplete },
  completed_once: { rule: "every task was completed exactly once", check: checks.completedOnce },
  dependencies_first: {
    rule: "no task was claimed before all of its dependencies were complete",
    check: checks.dependenciesFirst,
  },
  one_holder_per_attempt: {
    rule: "no attempt had two holders, and each claim raised the attempt by one",
    check: checks.oneHolderPerAttempt,
  },
  tokens_grow: {
    rule: "the fencing token of each claim is the revision that the claim replaced",
    check: checks.tokensGrow,
  },
  events_chain: {
    rule: "each event begins with the status that the one before it ended with",
    check: checks.eventsChain,
  },
  attempts_recovered: {
    rule: "every task whose attempt expired or failed was claimed again and completed",
    check: checks.attemptsRecovered,
  },
  activities_recorded: {
    rule: "whatever the sessions say they completed, failed or crashed on is in the history",
    check: checks.activitiesRecorded,
  },
  updates_told: {
    rule: "a subscriber was told of every write, once and in order",
    check: checks.updatesTold,
  },
} as const;
export type CheckName = keyof typeof CHECKS;

/**
 * @param entries every write to the bucket, in the order of the revisions
 * @param taskIds the tasks that were imported
 * @param activities what the sessions say they did
 * @param told the revisions of which a subscriber was told, in that order
 */
export function judge(
  entries: readonly RecordedEntry[],
  taskIds: readonly string[],
  activities: readonly Activity[],
  told: readonly number[],
): Verdict {
  const evidence: Evidence = { entries, states: statesByTask(entries), taskIds, activities, told };
  const results = (Object.keys(CHECKS) as CheckName[]).map((name) => {
    const { rule, check } = CHECKS[name];
    const problems = check(evidence);
    return { name, rule, passed: problems.length === 0, problems };
  });
  return { passed: results.every((result) => result.passed), checks: results };
}

function statesByTask(entries: readonly RecordedEntry[]): Map<string, TaskState[]> {
  const states = new Map<string, TaskState[]>();
  for (const { taskId, revision, task } of entries) {
    if (task === null) continue;
    const own = states.get(taskId);
    if (own === undefined) states.set(taskId, [{ revision, task }]);
    else own.push({ revision, task });
  }
  return states;
}
