/** Creates a task once, even if the request is sent several times. */
import type { Reply, RequestInput } from "../protocol/operations.ts";
import type { CallOptions } from "./call-options.ts";
import type { Calls, RequestContext } from "./calls.ts";
import { hasCode } from "./task-error.ts";

/** @throws TaskError `already_exists`, unless an earlier request of this call has made the task */
export async function createTask(
  calls: Calls,
  id: string,
  input: RequestInput<"tasks.create">,
  options?: CallOptions,
): Promise<Reply<"tasks.create">> {
  const requests: RequestContext[] = [];
  const body = (context: RequestContext): RequestInput<"tasks.create"> => {
    requests.push(context);
    return input;
  };
  try {
    return await calls.call("tasks.create", id, body, options);
  } catch (error) {
    const isUncertain = requests.at(-1)?.isUncertain === true;
    if (!hasCode(error, "already_exists") || !isUncertain) throw error;
    // An earlier request, whose answer was lost, has made the task if it equals the input.
    const found = await ifSeen(calls.call("tasks.get", id, () => ({}), options));
    // Its creator sees the whole task, so this one belongs to somebody else.
    if (found === null || found.task.redacted === true) throw error;
    const { task } = found;
    // It loads the schemas, which a command that creates a task needs only here.
    const { decodeDefinition, isSameDefinition } = await import("../protocol/definition-record.ts");
    const made = decodeDefinition(task);
    if (!isSameDefinition(made, decodeDefinition(input, made))) throw error;
    return { ok: true, task, revision: found.revision, warnings: [] };
  }
}

/** `null`: the coordinator hides the task from this agent, or the task was removed. */
async function ifSeen(get: Promise<Reply<"tasks.get">>): Promise<Reply<"tasks.get"> | null> {
  try {
    return await get;
  } catch (error) {
    if (hasCode(error, "not_found")) return null;
    throw error;
  }
}
