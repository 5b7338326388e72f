/** The rules for the history of a bucket. Each function returns the breaks of its rule. */
import type { RecordedEntry } from "../nats/read-history.ts";
import type { EventType, Task, TaskEvent } from "../task/task.ts";
import type { Finding, History, TaskState } from "./history.ts";

type Rule = (history: History) => Finding[];

/** No attempt has two holders, and each claim raises the attempt by one. */
export const oneHolderPerAttempt: Rule = (history) =>
  [...history].flatMap(([taskId, states]) => {
    const findings: Finding[] = [];
    const holders = new Map<number, string | null>();
    let attempt = 0;
    for (const { revision, task } of states) {
      const expected = task.lastEvent?.type === "task_claimed" ? attempt + 1 : attempt;
      if (task.attempt !== expected) {
        const what = `revision ${revision} has attempt ${task.attempt} where ${expected} is due`;
        findings.push({ taskId, what });
      }
      attempt = task.attempt;
      const holder = holders.get(attempt);
      const named = task.status === "claimed" ? task.claimedBy : endedBy(task.lastEvent);
      if (holder === undefined) holders.set(attempt, named ?? null);
      else if (named !== undefined && named !== holder) {
        const owner = `attempt ${attempt} of ${holder ?? "nobody"} is ${named ?? "nobody"}'s`;
        findings.push({ taskId, what: `revision ${revision}: ${owner}` });
      }
    }
    return findings;
  });

/** The fencing token of each claim is the revision that the claim replaced. */
export const tokensGrow: Rule = (history) =>
  eachState(history, ({ revision, task }, before) => {
    const isClaim = task.lastEvent?.type === "task_claimed";
    const expected = (isClaim ? before?.revision : before?.task.fencingToken) ?? 0;
    if (task.fencingToken === expected) return [];
    return [`revision ${revision} has fencing token ${task.fencingToken} where ${expected} is due`];
  });

/** Each event begins with the status that the one before it ended with. */
export const eventsChain: Rule = (history) =>
  eachState(history, ({ revision, task }, previous) => {
    const at = `revision ${revision}`;
    const event = task.lastEvent;
    if (event === null) return [`${at} has no event`];
    const before = previous?.task.status ?? null;
    const problems: string[] = [];
    // What came before the first entry of a trimmed history is not known.
    const isKnown = previous !== undefined || event.type === "task_created";
    if (event.oldStatus !== before && isKnown) {
      problems.push(`${at} comes from ${event.oldStatus ?? "none"}, not from ${before ?? "none"}`);
    }
    if (event.newStatus !== task.status) {
      problems.push(`${at} is ${task.status} but its event says ${event.newStatus}`);
    }
    const from = REQUIRED_ORIGIN[event.type];
    if (from !== undefined && event.oldStatus !== from) {
      problems.push(`${at}: ${event.type} from ${event.oldStatus ?? "none"}, not from ${from}`);
    }
    return problems;
  });

/**
 * No task is claimed before all of its dependencies were complete.
 *
 * A complete dependency may be requeued at the moment of the claim. Nothing can exclude that, because the
 * two tasks are different records.
 */
export const dependenciesFirst: Rule = (history) =>
  eachState(history, ({ revision, task }) => {
    if (task.lastEvent?.type !== "task_claimed") return [];
    const wasComplete = (id: string): boolean =>
      (history.get(id) ?? []).some(
        (state) => state.revision < revision && state.task.status === "complete",
      );
    return task.dependsOn
      .filter((id) => !wasComplete(id))
      .map((id) => `claimed at revision ${revision} before ${id} was complete`);
  });

/** At the end, a task is blocked if one of its dependencies is not complete, and only then. */
export function statusFollowsDependencies(entries: readonly RecordedEntry[]): Finding[] {
  const tasks = new Map<string, Task | null>();
  for (const { taskId, task } of entries) tasks.set(taskId, task);
  return [...tasks.values()].flatMap((task) => {
    if (task === null || !["blocked", "available"].includes(task.status)) return [];
    const unmet = task.dependsOn.filter((id) => tasks.get(id)?.status !== "complete");
    if ((task.status === "blocked") === unmet.length > 0) return [];
    const what =
      task.status === "blocked"
        ? "is still blocked, though all of its dependencies are complete"
        : `is available, though ${unmet.join(", ")} is not complete`;
    return [{ taskId: task.taskId, what }];
  });
}

/** The writes that a subscriber received, in this order. */
type Told = readonly { readonly taskId: string; readonly revision: number }[];

/**
 * A subscriber received every revision, once and in order.
 *
 * @param isWhole whether the bucket still has every revision that the subscriber received
 */
export function everyRevisionTold(
  entries: readonly RecordedEntry[],
  told: Told,
  { isWhole }: { readonly isWhole: boolean },
): Finding[] {
  const delivered = new Set(told.map(({ revision }) => revision));
  const written = new Set(entries.map(({ revision }) => revision));
  const finding = (problem: string) => (of: Told[number]) => ({
    taskId: of.taskId,
    what: `revision ${of.revision} ${problem}`,
  });
  const lost = entries.filter(({ revision }) => !delivered.has(revision));
  const unordered = told.filter(({ revision }, i) => revision <= (told[i - 1]?.revision ?? 0));
  const invented = isWhole ? told.filter(({ revision }) => !written.has(revision)) : [];
  return [
    ...lost.map(finding("was not told")),
    ...unordered.map(finding("was told twice or out of order")),
    ...invented.map(finding("was told but is not in the bucket")),
  ];
}

/** An action on a task that a session reports. */
export interface Deed {
  readonly taskId: string;
  readonly sessionId: string | null;
  readonly attempt: number;
  /** One of these events shows it. */
  readonly events: readonly EventType[];
  /** The finding if the history does not show the action. */
  readonly otherwise: string;
}

/** Every action that a session reports is in the history, whichever processes have died since. */
export function deedsRecorded(history: History, deeds: readonly Deed[]): Finding[] {
  const keyOf = (...parts: readonly unknown[]): string => JSON.stringify(parts);
  const written = new Set(
    [...history].flatMap(([taskId, states]) =>
      states.map(({ task: { attempt, lastEvent } }) =>
        keyOf(taskId, attempt, lastEvent?.sessionId, lastEvent?.type),
      ),
    ),
  );
  return deeds.flatMap(({ taskId, sessionId, attempt, events, otherwise: what }) => {
    const isRecorded = events.some((type) => written.has(keyOf(taskId, attempt, sessionId, type)));
    return isRecorded ? [] : [{ taskId, what }];
  });
}

function eachState(
  history: History,
  problemsOf: (state: TaskState, before: TaskState | undefined) => readonly string[],
): Finding[] {
  return [...history].flatMap(([taskId, states]) =>
    states.flatMap((state, i) =>
      problemsOf(state, states[i - 1]).map((what) => ({ taskId, what })),
    ),
  );
}

const REQUIRED_ORIGIN: Readonly<Record<string, Task["status"]>> = {
  task_claimed: "available",
  task_completed: "claimed",
  task_renewed: "claimed",
  task_expired: "claimed",
  task_attempt_failed: "claimed",
  task_unblocked: "blocked",
};

/** Not only the holder may cause these. */
const OTHERS: ReadonlySet<string> = new Set(["task_cancelled", "task_requeued"]);

/** The holder of the attempt that the event has ended; `undefined` if the event does not name it. */
function endedBy(event: TaskEvent | null): string | null | undefined {
  const isEnd = event?.oldStatus === "claimed" && event.newStatus !== "claimed";
  return isEnd && !OTHERS.has(event.type) ? event.sessionId : undefined;
}
