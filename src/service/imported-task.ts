/** Turns a task of an import into what the domain takes. */
import { decodeDefinition } from "../protocol/definition-record.ts";
import { millisOrNull } from "../protocol/instants.ts";
import type { Request } from "../protocol/operations.ts";
import type { ImportedEnd, NewTaskOptions, TaskDefinition } from "../task/task.ts";
import type { Author } from "./permission.ts";

export interface Imported {
  readonly taskId: string;
  readonly dependsOn: readonly string[];
  readonly definition: TaskDefinition;
  readonly options: Required<NewTaskOptions>;
}

type Given = Request<"tasks.import">["tasks"][number];

/** `limits`: for tasks that name none. `now`: the time of completion for tasks that name none. */
export function toImported(
  given: Given,
  author: Author & Pick<NewTaskOptions, "sessionId">,
  limits: Pick<TaskDefinition, "maxFailures" | "maxLostLeases">,
  now: number,
): Imported {
  const definition = decodeDefinition(given, limits);
  const notBefore = millisOrNull(given.not_before);
  const options = { ...author, notBefore, finished: finishedAs(given, now) };
  return { taskId: given.task_id, dependsOn: definition.dependsOn, definition, options };
}

function finishedAs(given: Given, now: number): ImportedEnd | null {
  const { status, result = null, completed_at, completed_by: completedBy = null } = given;
  if (status === undefined) return null;
  const completedAt = status === "complete" ? (millisOrNull(completed_at) ?? now) : null;
  return { status, result, completedAt, completedBy };
}
