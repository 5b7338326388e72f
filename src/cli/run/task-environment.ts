/** What the command finds in its environment. */
import { printable, shortened } from "../shared/terminal-text.ts";

/** The claim, as the command sees it. */
export interface ClaimedTask {
  readonly taskId: string;
  readonly title: string;
  readonly attempt: number;
  readonly fencingToken: number;
  readonly session: string;
  readonly taskFile: string;
  readonly resultFile: string;
}

export type Variables = Readonly<Record<string, string>>;

/** One variable of any size would fill the space that the system has for all of them. */
const MAX_TITLE_LENGTH = 1_000;

/** The variables that `run` adds to its own environment. They are small: the whole task is in TASK_FILE. */
export function taskVariables(task: ClaimedTask): Variables {
  return {
    TASK_ID: task.taskId,
    // A variable cannot have a NUL.
    TASK_TITLE: shortened(printable(task.title), MAX_TITLE_LENGTH),
    TASK_ATTEMPT: String(task.attempt),
    TASK_FENCING_TOKEN: String(task.fencingToken),
    TASK_FILE: task.taskFile,
    TASK_RESULT_FILE: task.resultFile,
    IF_COORDINATOR_SESSION: task.session,
  };
}
