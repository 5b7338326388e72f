/** A command can end its task itself, with `if-coordinator task complete` for example. Then the claim is over. */
import type { Claim } from "../../client/claim.ts";
import type { TaskClient } from "../../client/task-client.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";
import { RESERVED_REASONS } from "../../task/task.ts";
import type { Ended } from "./end-claim.ts";

/** The command waits for the answer before it is stopped. */
const DEADLINE_MS = 2_000;

/** How the command has ended its task; `null` if the task was lost otherwise, or the answer does not come. */
export async function endedByCommand(
  client: TaskClient,
  session: string,
  { task: { task_id: taskId }, attempt }: Claim,
): Promise<Ended | null> {
  try {
    const { task } = await client.get(taskId, { deadlineMs: DEADLINE_MS });
    return task.attempt === attempt ? endedBy(session, task) : null;
  } catch {
    return null;
  }
}

function endedBy(session: string, { last_event: event, result, status }: TaskRecord): Ended | null {
  if (event?.session_id !== session) return null;
  // The coordinator names the session that has lost its claim, too.
  if (event.reason !== null && RESERVED_REASONS.includes(event.reason)) return null;
  const outcome = OUTCOMES[event.type];
  if (outcome === undefined) return null;
  const isFinal = status === "failed";
  return { outcome, reason: "the command has ended the task itself", result, isFinal };
}

const OUTCOMES: Readonly<Record<string, Ended["outcome"]>> = {
  task_completed: "completed",
  task_attempt_failed: "failed",
  task_failed: "failed",
  task_released: "given_back",
};
