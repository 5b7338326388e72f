/**
 * Histories that workers could have written: random commands to tasks that depend on each other, with expiries,
 * revivals, retries, cancels, requeues, replaced sessions, imports, removals and records by hand.
 */
import fc from "fast-check";
import type { Command } from "../../src/task/commands.ts";
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import { createTask, DEFINITION_DEFAULTS, isFinished, type Task } from "../../src/task/task.ts";
import { transition } from "../../src/task/transition.ts";

const RETRY_POLICY = { baseMs: 1_000, maxMs: 8_000 };
const DEPENDENCIES: Readonly<Record<string, readonly string[]>> = {
  a: [],
  b: ["a"],
  c: ["a", "b"],
  d: [],
};
const IDS = Object.keys(DEPENDENCIES);
const SESSIONS = ["alice", "bob"] as const;

const KINDS = [
  ...["claim", "claim", "claim", "complete", "complete", "give", "delay", "fail", "refuse"],
  ...["expire", "expire", "disconnect", "revive", "replace", "cancel", "force", "requeue"],
  ...["update", "depend", "schedule", "import", "remove", "delete", "edit"],
] as const;

export interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly taskId: string;
  readonly sessionId: string;
  readonly instance: string | null;
  readonly waitMs: number;
}

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS),
    taskId: fc.constantFrom(...IDS),
    sessionId: fc.constantFrom(...SESSIONS),
    instance: fc.constantFrom(null, "i1", "i2"),
    waitMs: fc.constantFrom(1_000, 2_000, 20_000),
  }),
  { minLength: 40, maxLength: 120 },
);

/** The history that the steps lead to. Steps that the rules refuse write nothing. */
export function historyAfter(all: readonly Step[]): RecordedEntry[] {
  const bucket = new RandomBucket();
  for (const taskId of IDS) bucket.create(taskId);
  for (const step of all) bucket.take(step);
  return bucket.entries;
}

export const histories: fc.Arbitrary<RecordedEntry[]> = steps.map(historyAfter);

/** What a bucket still has that keeps `depth` records of each task. */
export function trimmed(entries: readonly RecordedEntry[], depth: number): RecordedEntry[] {
  const newer = new Map<string, number>();
  return entries
    .toReversed()
    .filter(({ taskId }) => {
      const count = newer.get(taskId) ?? 0;
      newer.set(taskId, count + 1);
      return count < depth;
    })
    .toReversed();
}

class RandomBucket {
  entries: RecordedEntry[] = [];
  readonly #tasks = new Map<string, { readonly task: Task; readonly revision: number }>();
  #now = Date.UTC(2026, 0, 1);
  #lastRevision = 0;

  create(taskId: string, isImport = false): void {
    const dependsOn = DEPENDENCIES[taskId] ?? [];
    const end = { status: "complete", result: null, completedAt: null, completedBy: null } as const;
    const created = createTask(
      taskId,
      { ...DEFINITION_DEFAULTS, dependsOn, requires: ["git"], maxFailures: 2, maxLostLeases: 3 },
      {
        blocked: this.#unmet(dependsOn).length > 0,
        sessionId: null,
        finished: isImport ? end : null,
        now: this.#now,
      },
    );
    this.#write(created, this.#revisionOf(taskId));
    this.#settle();
  }

  take({ kind, taskId, sessionId, instance, waitMs }: Step): void {
    this.#now += waitMs;
    const found = this.#tasks.get(taskId);
    if (found === undefined) {
      this.create(taskId, kind === "import");
      return;
    }
    const { task, revision } = found;
    if (kind === "remove" || kind === "delete") {
      // Only a purge removes the history. Anyone can delete a task by hand.
      if (kind === "remove" && !isFinished(task.status)) return;
      this.#remove(taskId, revision, kind === "remove");
    } else if (kind === "edit") {
      if (task.status !== "claimed") this.#write({ ...task, priority: 0 }, null);
    } else {
      const command = commandOf(kind, task, sessionId, instance, this.#now, (ids) =>
        this.#unmet(ids),
      );
      if (command === null) return;
      const context = { now: this.#now, revision, retryPolicy: RETRY_POLICY };
      const decision = transition(task, command, context);
      if (decision.kind === "write") this.#write(decision.task, revision);
    }
    this.#settle();
  }

  #remove(taskId: string, revision: number, isPurge: boolean): void {
    if (isPurge) this.entries = this.entries.filter((entry) => entry.taskId !== taskId);
    this.#tasks.delete(taskId);
    this.#add({ taskId, task: null, replaces: isPurge ? revision : null, isByWorker: false });
  }

  /** As the workers do after each change. */
  #settle(): void {
    for (const [taskId, { task, revision }] of this.#tasks) {
      const command = { type: "settle_dependencies", unmet: this.#unmet(task.dependsOn) } as const;
      const context = { now: this.#now, revision, retryPolicy: RETRY_POLICY };
      const decision = transition(task, command, context);
      if (decision.kind !== "write") continue;
      this.#write(decision.task, this.#revisionOf(taskId));
    }
  }

  #unmet(ids: readonly string[]): string[] {
    return ids.filter((id) => this.#tasks.get(id)?.task.status !== "complete");
  }

  /** Of the marker, if the task was removed. */
  #revisionOf(taskId: string): number {
    return this.entries.findLast((entry) => entry.taskId === taskId)?.revision ?? 0;
  }

  #write(task: Task, replaces: number | null): void {
    const { taskId } = task;
    this.#add({ taskId, task, replaces, isByWorker: replaces !== null });
    this.#tasks.set(taskId, { task, revision: this.#lastRevision });
  }

  #add(entry: Pick<RecordedEntry, "taskId" | "task" | "replaces" | "isByWorker">): void {
    const revision = ++this.#lastRevision;
    this.entries.push({ ...entry, revision, writtenAt: this.#now, unreadable: null });
  }
}

function commandOf(
  kind: Step["kind"],
  task: Task,
  sessionId: string,
  instance: string | null,
  now: number,
  unmetIn: (ids: readonly string[]) => readonly string[],
): Command | null {
  const { attempt, leaseEpoch: epoch, claimedBy } = task;
  const unmet = unmetIn(task.dependsOn);
  const release = {
    type: "release" as const,
    ...{ sessionId: claimedBy ?? sessionId, attempt, instance: null },
    ...{ result: "done", error: "went wrong", retry: kind !== "refuse" },
  };
  const update = { type: "update" as const, sessionId };
  switch (kind) {
    case "claim": {
      const claim = { sessionId, ttlSeconds: 60, claimRequest: null, instance };
      return { type: "claim", ...claim, capabilities: ["git"] };
    }
    case "complete":
      return { ...release, outcome: "complete" };
    case "give":
      return { ...release, outcome: "available" };
    case "delay":
      return { ...release, outcome: "available", notBefore: now + 5_000 };
    case "fail":
    case "refuse":
      return { ...release, outcome: "failed" };
    case "expire":
      return { type: "expire", attempt, epoch };
    case "disconnect":
      return { type: "expire", attempt, epoch, reason: "connection lost" };
    case "revive":
      return { type: "revive", sessionId: claimedBy ?? "", attempt, epoch, ttlSeconds: 30 };
    case "replace":
      return { type: "replace_session", attempt };
    case "cancel":
    case "force":
      return { type: "cancel", sessionId, force: kind === "force", reason: null };
    case "requeue":
      return { type: "requeue", sessionId, reason: null, unmet };
    case "update":
      return { ...update, changes: { title: "New" }, unmet };
    case "schedule":
      return { ...update, changes: { notBefore: now + 3_000 }, unmet };
    case "depend": {
      const dependsOn = task.dependsOn.length > 0 ? [] : (DEPENDENCIES[task.taskId] ?? []);
      return { ...update, changes: { dependsOn }, unmet: unmetIn(dependsOn) };
    }
    default:
      return null;
  }
}
