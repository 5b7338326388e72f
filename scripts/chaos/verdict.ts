/** Whether a run went as docs/guarantees.md promises. */
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import type { TaskUpdate } from "../../src/client/task-update.ts";
import { checkLinearizability, type Operation } from "./linearizability.ts";
import type { RecordedOperation, Recording } from "./recording.ts";
import type { TaskOperation } from "./recorded-operation.ts";
import { taskModel } from "./task-model.ts";

export interface Problem {
  readonly guarantee: string;
  readonly taskId: string | null;
  readonly what: string;
}

export interface Evidence {
  readonly recording: Recording;
  /** All that the bucket still has at the end, in the order of the revisions. */
  readonly entries: readonly RecordedEntry[];
  /** What a subscriber was told from the beginning on. */
  readonly updates: readonly TaskUpdate[];
}

export function judge(evidence: Evidence): Problem[] {
  return [
    ...notLinearizable(evidence),
    ...notDurable(evidence),
    ...attemptsShared(evidence),
    ...updatesMissed(evidence),
  ];
}

/** Operations by task, with the claims of those `next` requests whose answers were lost. */
export function operationsByTask({
  recording,
  updates,
}: Evidence): Map<string, Operation<TaskOperation>[]> {
  const byTask = new Map<string, Operation<TaskOperation>[]>();
  const add = (taskId: string, operation: Operation<TaskOperation>): void => {
    const own = byTask.get(taskId);
    if (own === undefined) byTask.set(taskId, [operation]);
    else own.push(operation);
  };
  for (const operation of recording.operations) add(operation.taskId, operation);
  for (const { requestId, sessionId, invokedAt } of recording.lostNexts) {
    const won = updates.find(
      ({ type, task }) => type === "task_claimed" && task.claim_request === requestId,
    );
    if (won === undefined) continue;
    const asked = { kind: "claim", sessionId } as const;
    const op = { asked, told: { kind: "unknown" } } as const;
    add(won.task_id, { op, invokedAt, returnedAt: Infinity });
  }
  return byTask;
}

function notLinearizable(evidence: Evidence): Problem[] {
  return [...operationsByTask(evidence)].flatMap(([taskId, operations]) => {
    const { isLinearizable, stuckAt } = checkLinearizability(taskModel, operations);
    if (isLinearizable) return [];
    const stuck = stuckAt.map(({ op }) => JSON.stringify(op)).join(" or ");
    return [{ guarantee: "linearizable", taskId, what: `cannot be explained: ${stuck}` }];
  });
}

/** Every write that was acknowledged has been seen by the subscriber, whatever has died since. */
function notDurable({ recording, updates }: Evidence): Problem[] {
  const written = new Set(
    updates.map(({ task_id, type, task }) => `${task_id} ${type} ${task.attempt}`),
  );
  return recording.operations.flatMap((operation) => {
    const type = eventOf(operation);
    if (type === null || operation.op.told.kind !== "ok") return [];
    const attempt = operation.op.told.seen?.attempt ?? 0;
    const { taskId, client } = operation;
    if (written.has(`${taskId} ${type} ${attempt}`)) return [];
    const what = `${client} was told of ${type} (attempt ${attempt}), which nobody has seen`;
    return [{ guarantee: "durable", taskId, what }];
  });
}

function eventOf({ op: { asked } }: RecordedOperation): string | null {
  if (asked.kind === "create") return "task_created";
  if (asked.kind === "claim") return "task_claimed";
  return asked.kind === "release" && asked.status === "complete" ? "task_completed" : null;
}

/** Attempts grow by one with each claim, and each has one holder. */
function attemptsShared({ updates }: Evidence): Problem[] {
  const attempts = new Map<string, number>();
  const problems: Problem[] = [];
  for (const { task_id: taskId, type, task, revision } of updates) {
    const before = attempts.get(taskId) ?? 0;
    const expected = type === "task_claimed" ? before + 1 : before;
    if (task.attempt !== expected) {
      const what = `revision ${revision} has attempt ${task.attempt} where ${expected} is due`;
      problems.push({ guarantee: "fencing", taskId, what });
    }
    attempts.set(taskId, task.attempt);
  }
  return problems;
}

function updatesMissed({ entries, updates }: Evidence): Problem[] {
  const told = new Set(updates.map(({ revision }) => revision));
  const missed = entries
    .filter(({ revision, task }) => task !== null && !told.has(revision))
    .map(({ taskId, revision }) => ({
      guarantee: "updates",
      taskId,
      what: `revision ${revision} was not told`,
    }));
  const unordered = updates
    .filter(({ revision }, i) => revision <= (updates[i - 1]?.revision ?? 0))
    .map(({ task_id: taskId, revision }) => ({
      guarantee: "updates",
      taskId,
      what: `revision ${revision} was told twice or out of order`,
    }));
  return [...missed, ...unordered];
}
