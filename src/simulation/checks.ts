/**
 * The rules that a history has to keep, one function each. A function returns what breaks its rule,
 * in words; an empty list is a pass.
 */
import type { RecordedEntry } from "../nats/read-history.ts";
import type { EventType, Task, TaskEvent } from "../task/task.ts";
import type { Action, Activity } from "./activity-log.ts";

/** A write that is readable as a task. */
export interface TaskState {
  readonly revision: number;
  readonly task: Task;
}

/** What the checks look at. */
export interface Evidence {
  /** All writes, in the order of their revisions. */
  readonly entries: readonly RecordedEntry[];
  /** The readable writes of each task, in the order of their revisions. */
  readonly states: ReadonlyMap<string, readonly TaskState[]>;
  /** The tasks that were imported. */
  readonly taskIds: readonly string[];
  readonly activities: readonly Activity[];
  /** The revisions of which a subscriber was told, in that order. */
  readonly told: readonly number[];
}

type Check = (evidence: Evidence) => string[];

/** Without this the other checks would pass on what they cannot see. */
export const historyIsWhole: Check = ({ entries, states, taskIds }) => {
  const imported = new Set(taskIds);
  const unreadable = entries
    .filter((entry) => entry.task === null)
    .map(({ taskId, revision }) => `${taskId}: revision ${revision} is no task`);
  const foreign = [...states.keys()]
    .filter((id) => !imported.has(id))
    .map((id) => `${id}: was not imported`);
  const trimmed = taskIds.flatMap((id) => {
    const [first] = states.get(id) ?? [];
    if (first === undefined) return [`${id}: has no history`];
    const type = first.task.lastEvent?.type;
    if (type === "task_created") return [];
    return [`${id}: its history was trimmed and begins with ${type ?? "no event"}`];
  });
  return [...unreadable, ...foreign, ...trimmed];
};

export const allComplete: Check = ({ states, taskIds }) =>
  taskIds.flatMap((id) => {
    const status = states.get(id)?.at(-1)?.task.status;
    return status === "complete" ? [] : [`${id}: ended as ${status ?? "unknown"}`];
  });

export const completedOnce: Check = ({ states, taskIds }) =>
  taskIds.flatMap((id) => {
    // By its status: work that was done before is imported as complete.
    const own = states.get(id) ?? [];
    const times = own.filter(({ task }) => task.lastEvent?.newStatus === "complete").length;
    return times === 1 ? [] : [`${id}: was completed ${times} times`];
  });

export const dependenciesFirst: Check = ({ states }) =>
  [...states].flatMap(([id, own]) =>
    eventsOf(own, "task_claimed").flatMap(({ revision, task }) =>
      task.dependsOn
        .filter((dependency) => statusAt(states.get(dependency), revision) !== "complete")
        .map((dependency) => `${id}: claimed at revision ${revision} before ${dependency}`),
    ),
  );

export const oneHolderPerAttempt: Check = ({ states }) =>
  [...states].flatMap(([id, own]) => {
    const problems: string[] = [];
    const holders = new Map<number, string | null>();
    let attempt = 0;
    for (const { revision, task } of own) {
      const at = `${id}: revision ${revision}`;
      const expected = task.lastEvent?.type === "task_claimed" ? attempt + 1 : attempt;
      if (task.attempt !== expected) {
        problems.push(`${at} has attempt ${task.attempt} where ${expected} is due`);
      }
      attempt = task.attempt;
      const holder = holders.get(attempt);
      const named = task.status === "claimed" ? task.claimedBy : endedBy(task.lastEvent);
      if (holder === undefined) holders.set(attempt, named ?? null);
      else if (named !== undefined && named !== holder) {
        problems.push(
          `${at}: attempt ${attempt} of ${holder ?? "nobody"} is ${named ?? "nobody"}'s`,
        );
      }
    }
    return problems;
  });

export const tokensGrow: Check = ({ states }) =>
  [...states].flatMap(([id, own]) =>
    own.flatMap(({ revision, task }, i) => {
      const before = own[i - 1];
      const isClaim = task.lastEvent?.type === "task_claimed";
      const expected = (isClaim ? before?.revision : before?.task.fencingToken) ?? 0;
      if (task.fencingToken === expected) return [];
      const at = `${id}: revision ${revision}`;
      return [`${at} has fencing token ${task.fencingToken} where ${expected} is due`];
    }),
  );

export const eventsChain: Check = ({ states }) =>
  [...states].flatMap(([id, own]) =>
    own.flatMap(({ revision, task }, i) => {
      const at = `${id}: revision ${revision}`;
      const event = task.lastEvent;
      if (event === null) return [`${at} has no event`];
      const before = own[i - 1]?.task.status ?? null;
      const problems: string[] = [];
      // What came before the first entry of a trimmed history is not known.
      if (event.oldStatus !== before && (i > 0 || event.type === "task_created")) {
        problems.push(
          `${at} comes from ${event.oldStatus ?? "none"}, not from ${before ?? "none"}`,
        );
      }
      if (event.newStatus !== task.status) {
        problems.push(`${at} is ${task.status} but its event says ${event.newStatus}`);
      }
      const from = REQUIRED_ORIGIN[event.type];
      if (from !== undefined && event.oldStatus !== from) {
        problems.push(`${at}: ${event.type} from ${event.oldStatus ?? "none"}, not from ${from}`);
      }
      return problems;
    }),
  );

export const attemptsRecovered: Check = ({ states }) =>
  [...states].flatMap(([id, own]) =>
    own.flatMap(({ task }, i) => {
      const type = task.lastEvent?.type;
      if (type !== "task_expired" && type !== "task_attempt_failed") return [];
      const later = own.slice(i + 1);
      const claimedAgain = eventsOf(later, "task_claimed").some(
        (state) => state.task.attempt > task.attempt,
      );
      if (claimedAgain && later.at(-1)?.task.status === "complete") return [];
      return [`${id}: attempt ${task.attempt} ended by ${type} and was not made good`];
    }),
  );

export const activitiesRecorded: Check = ({ states, activities }) =>
  activities.flatMap(({ sessionId, taskId, attempt, action }) => {
    const isRecorded = (states.get(taskId) ?? []).some(
      ({ task }) =>
        task.attempt === attempt &&
        task.lastEvent?.sessionId === sessionId &&
        EVENTS_OF_ACTION[action].includes(task.lastEvent.type),
    );
    if (isRecorded) return [];
    return [`${taskId}: ${sessionId} ${action} attempt ${attempt}, which history does not show`];
  });

export const updatesTold: Check = ({ entries, told }) => {
  const written = new Set(entries.map(({ revision }) => revision));
  const heard = new Set(told);
  const lost = [...written].filter((revision) => !heard.has(revision));
  const unordered = told.filter((revision, i) => revision <= (told[i - 1] ?? 0));
  const invented = [...heard].filter((revision) => !written.has(revision));
  return [
    ...lost.map((revision) => `revision ${revision} was not told`),
    ...unordered.map((revision) => `revision ${revision} was told twice or out of order`),
    ...invented.map((revision) => `revision ${revision} was told but is not in the bucket`),
  ];
};

const REQUIRED_ORIGIN: Partial<Record<TaskEvent["type"], Task["status"]>> = {
  task_claimed: "available",
  task_completed: "claimed",
  task_renewed: "claimed",
  task_expired: "claimed",
  task_attempt_failed: "claimed",
  task_unblocked: "blocked",
};

const EVENTS_OF_ACTION: Record<Action, readonly TaskEvent["type"][]> = {
  completed: ["task_completed"],
  failed: ["task_attempt_failed", "task_failed"],
  crashed: ["task_expired", "task_failed"],
  lost: ["task_expired", "task_failed"],
};

/** Who held the attempt that the event has ended; `undefined` if it has ended none. */
function endedBy(event: TaskEvent | null): string | null | undefined {
  return event?.oldStatus === "claimed" && event.newStatus !== "claimed"
    ? event.sessionId
    : undefined;
}

function eventsOf(states: readonly TaskState[] | undefined, type: EventType): TaskState[] {
  return (states ?? []).filter(({ task }) => task.lastEvent?.type === type);
}

function statusAt(states: readonly TaskState[] | undefined, revision: number) {
  return states?.findLast((state) => state.revision < revision)?.task.status;
}
