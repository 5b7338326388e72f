/**
 * Tells agents that do not see everything of changes of their own tasks. They cannot receive what NATS republishes,
 * which is whole records of all tasks.
 *
 * The worker that has written a record sends it, at most once: an agent that misses it learns of the change by its
 * next check or renewal, as it learns of the tasks of others.
 */
import { EncodedJson } from "../protocol/encoded-json.ts";
import { isOfRole, isValidId } from "../protocol/subjects.ts";
import { EncodedRecord } from "../protocol/task-record.ts";
import type { Visibility } from "../protocol/visibility.ts";
import type { Task } from "../task/task.ts";
import type { AgentUpdate } from "./ports.ts";
import type { WriteListener } from "./sent-task.ts";
import { Viewer } from "./viewer.ts";

/** @param send must not throw */
export function tellAgents(
  visibility: Exclude<Visibility, "all">,
  send: (update: AgentUpdate) => void,
): WriteListener {
  return ({ task, revision, record = new EncodedRecord(task) }, before) => {
    const { taskId } = task;
    for (const agent of new Set([...ownersOf(before), ...ownersOf(task)])) {
      // An agent that has just lost its claim no longer owns the task: it gets the record without contents.
      const shown = new Viewer({ role: "agent", name: agent }, visibility === "own").record(record);
      if (shown instanceof EncodedJson) send({ agent, taskId, revision, record: shown.bytes });
    }
  };
}

/** The names of the agents whose task it is. */
function ownersOf(task: Task | null): string[] {
  if (task === null) return [];
  const { createdBy, claimedBy, completedBy } = task;
  const creator = createdBy !== null && isOfRole(createdBy, "agent") ? [tokenOf(createdBy, 1)] : [];
  const sessions = [claimedBy, completedBy].flatMap((id) => (id === null ? [] : [tokenOf(id, 0)]));
  // A record that was written by hand can name anything, and the name becomes part of a subject.
  return [...creator, ...sessions].filter(isValidId);
}

/** A session of `s1` is `s1` or begins with `s1.`, and as a creator the agent is `agent.s1`. */
function tokenOf(text: string, token: number): string {
  return text.split(".")[token] ?? "";
}
