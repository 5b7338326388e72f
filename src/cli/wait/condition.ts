/** The condition that a command waits for: a set of statuses. */
import { InvalidArgumentError } from "commander";
import { isFinished, TASK_STATUSES, type TaskStatus } from "../../task/task.ts";

export interface Condition {
  /** As a sentence continues: `a is finished`, `a is available or claimed`. */
  readonly text: string;
  readonly wanted: readonly TaskStatus[];
  /** Finished statuses that the condition does not accept. Such a task will not fulfil it any more. */
  readonly hopeless: readonly TaskStatus[];
  /** All statuses that the condition does not accept. */
  readonly unwanted: readonly TaskStatus[];
}

export const FINISHED = "finished";

/**
 * `finished`, or one or more statuses with commas, such as `complete` or `available,claimed`. `status=` before
 * them is accepted too.
 *
 * @throws InvalidArgumentError
 */
export function parseCondition(text: string): Condition {
  const names = text.replace(/^status=/, "").split(",");
  if (names.length === 1 && names[0] === FINISHED) {
    return conditionOf(FINISHED, TASK_STATUSES.filter(isFinished));
  }
  const wanted = TASK_STATUSES.filter((status) => names.includes(status));
  const unknown = names.find((name) => !TASK_STATUSES.some((status) => status === name));
  if (unknown !== undefined) {
    const known = [FINISHED, ...TASK_STATUSES].join(", ");
    throw new InvalidArgumentError(`It must be one of ${known}, or several statuses with commas.`);
  }
  return conditionOf(wanted.join(" or "), wanted);
}

function conditionOf(text: string, wanted: readonly TaskStatus[]): Condition {
  const unwanted = TASK_STATUSES.filter((status) => !wanted.includes(status));
  return { text, wanted, hopeless: unwanted.filter(isFinished), unwanted };
}

export type Verdict = "holds" | "open" | "hopeless";

/** A status of a later version is open: nobody knows what follows it. */
export function verdictOn(status: string, condition: Condition): Verdict {
  const isIn = (statuses: readonly string[]): boolean => statuses.includes(status);
  if (isIn(condition.wanted)) return "holds";
  return isIn(condition.hopeless) ? "hopeless" : "open";
}
