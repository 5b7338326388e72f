/** Warns about dependencies that neither a file nor the coordinator has. */
import type { Calls } from "../../client/calls.ts";
import type { Finding } from "../../task-files/findings.ts";
import type { ReadResult } from "../../task-files/read.ts";
import { existingTasks } from "./existing-tasks.ts";

export async function missingWarnings(
  calls: Pick<Calls, "call">,
  { missing }: ReadResult,
): Promise<Finding[]> {
  const existing = await existingTasks(calls, [...missing.keys()]);
  return [...missing]
    .filter(([id]) => !existing.has(id))
    .map(([id, place]) => ({
      place,
      message: `${id} does not exist: tasks that depend on it stay blocked until it is created and complete`,
      file: "",
      offset: 0,
    }));
}

/** The coordinator warns about the same dependencies, but without a place in a file. */
export function isAboutMissing(warning: string): boolean {
  return /^task \S+ depends on \S+, which does not exist|^and \d+ more such dependencies$/.test(
    warning,
  );
}
