/** The statuses that an option names. */
import { InvalidArgumentError } from "commander";
import { TASK_STATUSES, type TaskStatus } from "../../task/task.ts";
import { collectList } from "./parse-values.ts";

/** @throws InvalidArgumentError */
export function parseStatuses(
  text: string,
  before: readonly TaskStatus[] = [],
): readonly TaskStatus[] {
  const names = collectList(text);
  const known = names.flatMap((name) => TASK_STATUSES.filter((status) => status === name));
  if (known.length === 0 || known.length < names.length) {
    throw new InvalidArgumentError(`The statuses are ${TASK_STATUSES.join(", ")}.`);
  }
  return [...before, ...known];
}
