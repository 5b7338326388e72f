/** How a task is created once, though the request for it may have to be sent several times. */
import { decodeDefinition, isSameDefinition } from "../protocol/definition-record.ts";
import type { Reply, RequestInput } from "../protocol/operations.ts";
import type { CallOptions, Calls, RequestContext } from "./calls.ts";
import { hasCode } from "./task-error.ts";

/** @throws TaskError `already_exists`, unless a request before this one has made just this task */
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
    // If the task is just what was asked for, an earlier request has made it, whose answer was lost.
    const found = await calls.call("tasks.get", id, () => ({}), options);
    const { task } = found;
    const made = decodeDefinition(task);
    if (!isSameDefinition(made, decodeDefinition(input, made))) throw error;
    return { ok: true, task, revision: found.revision, warnings: [] };
  }
}
