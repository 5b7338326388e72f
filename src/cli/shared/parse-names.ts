/** Options whose values are names of a closed set, such as statuses. */
import { InvalidArgumentError } from "commander";
import { nearest } from "../../protocol/nearest.ts";
import { TASK_STATUSES, type TaskStatus } from "../../task/task.ts";
import { collectList } from "./parse-values.ts";

/** @throws InvalidArgumentError */
export function parseStatuses(text: string, before?: readonly TaskStatus[]): readonly TaskStatus[] {
  return parseNames(text, before, TASK_STATUSES);
}

/** @throws InvalidArgumentError for a name that is not one of `all`, and for an empty list */
export function parseNames<Name extends string>(
  text: string,
  before: readonly Name[] = [],
  all: readonly Name[],
): readonly Name[] {
  const given = collectList(text);
  if (given.length === 0) throw new InvalidArgumentError(`It must be one of ${all.join(", ")}.`);
  const names = given.map((word) => {
    const name = all.find((known) => known === word);
    if (name !== undefined) return name;
    const guess = nearest(word, all);
    throw new InvalidArgumentError(
      guess === undefined
        ? `${word} is none of ${all.join(", ")}.`
        : `${word} is not known: did you mean ${guess}?`,
    );
  });
  return [...before, ...names];
}
