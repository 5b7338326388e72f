/** With `auth.visibility: own`, the tasks of others do not exist for an agent, unless it could claim them. */
import type { Operation } from "../protocol/operations.ts";
import type { Call, TaskStore } from "./ports.ts";
import { notFound } from "./refusals.ts";
import type { TaskIndex } from "./task-index.ts";
import type { Viewer } from "./viewer.ts";

/** What tells about a task. A claim tells that it is held, as ever, and a holder that it has lost its claim. */
const TELLING: ReadonlySet<Operation> = new Set<Operation>([
  "tasks.get",
  "tasks.history",
  "tasks.verify",
  "tasks.update",
  "tasks.cancel",
]);

/** The index may be late, so the refusal is decided on the leader's record. @throws CoordinatorError `not_found` */
export async function requireVisible(
  viewer: Viewer,
  { operation, id }: Call,
  { tasks, store }: { readonly tasks: TaskIndex; readonly store: TaskStore },
): Promise<void> {
  if (!viewer.hidesOthers || id === undefined || !TELLING.has(operation)) return;
  const known = tasks.get(id);
  if (known !== undefined && viewer.sees(known.task)) return;
  const entry = await store.load(id);
  const isSeen = entry !== null && "task" in entry && viewer.sees(entry.task);
  if (!isSeen) throw notFound("task", id);
}
