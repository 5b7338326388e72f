/** Chains from short descriptions of their tasks. */
import { BlockingChain, type ChainTask, type Found } from "../../../src/cli/why/blocking-chain.ts";

export const NOW = Date.parse("2026-01-01T12:00:00.000Z");

/** A task with the fields that matter to a test. */
export function chainTask(id: string, fields: Partial<ChainTask> = {}): ChainTask {
  const isBlocked = (fields.depends_on ?? []).length > 0;
  return {
    task_id: id,
    title: "",
    status: isBlocked ? "blocked" : "available",
    depends_on: [],
    requires: [],
    claimed_by: fields.status === "claimed" ? "session-1" : null,
    claimed_at: fields.status === "claimed" ? at(-60_000) : null,
    attempt: 0,
    failures: 0,
    max_failures: 3,
    not_before: null,
    error: null,
    updated_at: at(-60_000),
    completed_at: null,
    completed_by: null,
    last_event: null,
    ...fields,
  };
}

/** A time relative to `NOW`. */
export function at(offsetMs: number): string {
  return new Date(NOW + offsetMs).toISOString();
}

/** The dependencies and the status of each task. What is named as a dependency only does not exist. */
export type Sketch = Readonly<Record<string, readonly string[] | ChainTask["status"]>>;

/** All tasks of the sketch by their ids. */
export function tasksOf(sketch: Sketch): Map<string, ChainTask> {
  const tasks = Object.entries(sketch).map(([id, given]) =>
    typeof given === "string"
      ? chainTask(id, { status: given })
      : chainTask(id, { depends_on: [...given] }),
  );
  return new Map(tasks.map((task) => [task.task_id, task]));
}

/** The whole chain below the root. */
export function chainOf(root: string, tasks: ReadonlyMap<string, Found>): BlockingChain {
  const chain = new BlockingChain(root);
  for (const id of chain.wanted) chain.add(id, tasks.get(id) ?? "missing");
  return chain;
}
