/**
 * Plans the import of a set of tasks of any size. The client validates the whole set, then cuts it into
 * requests that the NATS server accepts. The dependencies of a task are in the same request or in an
 * earlier one, so that no request warns about tasks that only come later.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Reply, RequestInput } from "../protocol/operations.ts";
import { parseBody } from "../protocol/parse-request.ts";
import { toRequestText } from "./json-text.ts";
import { findCycle, inDependencyOrder } from "../task/dependencies.ts";

/** A task of an import: its id and the fields of its definition, see `docs/protocol.md`. */
export type ImportedTask = RequestInput<"tasks.import">["tasks"][number];
type ImportReply = Reply<"tasks.import">;

/** With more tasks, one request would keep a worker busy for too long. */
const MAX_TASKS_PER_REQUEST = 1_000;

/** Left free in each request for what is around the tasks: braces and a session id. */
const ENVELOPE_BYTES = 1024;

/**
 * The tasks in dependency order, in portions. Each portion fits into one request.
 *
 * @param maxBytes the largest request that the server takes
 * @throws CoordinatorError `invalid_request` for a malformed task, an id given twice or a cycle;
 *   `too_large` for a task that fits into no request
 */
export function planImport(tasks: readonly ImportedTask[], maxBytes: number): ImportedTask[][] {
  parseBody("tasks.import", toRequestText({ tasks }));
  refuseDuplicates(tasks);
  const dependencies = new Map(tasks.map((task) => [task.task_id, task.depends_on ?? []]));
  const cycle = findCycle(dependencies.keys(), (id) => dependencies.get(id));
  if (cycle !== null) {
    throw new CoordinatorError(
      "invalid_request",
      `depends_on: the tasks depend on each other in a cycle: ${cycle.join(" -> ")}`,
      { details: { field: "depends_on", cycle } },
    );
  }
  return planPortions(tasks, maxBytes);
}

/**
 * The same for tasks that are checked already: valid, with ids of their own, and without a cycle.
 *
 * @throws CoordinatorError `too_large`
 */
export function planPortions(tasks: readonly ImportedTask[], maxBytes: number): ImportedTask[][] {
  const nodes = tasks.map((task) => ({
    taskId: task.task_id,
    dependsOn: task.depends_on ?? [],
    task,
  }));
  const ordered = inDependencyOrder(nodes).map((node) => node.task);
  return portions(ordered, maxBytes - ENVELOPE_BYTES);
}

export function mergeReplies(replies: readonly ImportReply[]): ImportReply {
  return {
    ok: true,
    created: replies.flatMap((reply) => reply.created),
    unchanged: replies.flatMap((reply) => reply.unchanged),
    conflicting: replies.flatMap((reply) => reply.conflicting),
    conflicts: replies.flatMap((reply) => reply.conflicts),
    warnings: replies.flatMap((reply) => reply.warnings),
  };
}

function refuseDuplicates(tasks: readonly ImportedTask[]): void {
  const seen = new Set<string>();
  for (const { task_id: id } of tasks) {
    if (seen.has(id)) {
      throw new CoordinatorError(
        "invalid_request",
        `tasks: ${id} is there more than once; give each task an id of its own`,
        { details: { field: "tasks", task_id: id } },
      );
    }
    seen.add(id);
  }
}

function portions(tasks: readonly ImportedTask[], maxBytes: number): ImportedTask[][] {
  const all: ImportedTask[][] = [];
  let portion: ImportedTask[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = Buffer.byteLength(JSON.stringify(task)) + 1;
    if (size > maxBytes) {
      throw new CoordinatorError(
        "too_large",
        `${task.task_id} has ${size} bytes and the NATS server takes ${maxBytes} at a time: ` +
          "keep large content elsewhere and refer to it",
        { details: { task_id: task.task_id } },
      );
    }
    if (bytes + size > maxBytes || portion.length === MAX_TASKS_PER_REQUEST) {
      all.push(portion);
      portion = [];
      bytes = 0;
    }
    portion.push(task);
    bytes += size;
  }
  all.push(portion);
  return all;
}
