/** Valid histories, which tests then change. */
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import type { Command } from "../../src/task/commands.ts";
import {
  createTask,
  DEFINITION_DEFAULTS,
  type ImportedStatus,
  type Task,
} from "../../src/task/task.ts";
import { transition } from "../../src/task/transition.ts";

/** `b` depends on `a`, which fails once, expires once, and is completed by the third attempt. */
export function recoveredHistory(): SyntheticHistory {
  return new SyntheticHistory()
    .create("a")
    .create("b", ["a"])
    .claim("a", "session-1")
    .release("a", "failed")
    .claim("a", "session-2")
    .expire("a")
    .claim("a", "session-1")
    .release("a", "complete");
}

export class SyntheticHistory {
  entries: RecordedEntry[] = [];
  readonly #tasks = new Map<string, Task>();

  create(taskId: string, dependsOn: string[] = [], status?: ImportedStatus): this {
    const definition = { ...DEFINITION_DEFAULTS, dependsOn, maxFailures: 100 };
    const blocked = dependsOn.length > 0;
    const now = this.#now;
    const end = { result: null, completedAt: now, completedBy: null };
    const finished = status === undefined ? null : { status, ...end };
    return this.write(createTask(taskId, definition, { blocked, sessionId: null, finished, now }));
  }

  unblock(taskId: string): this {
    return this.#apply(taskId, { type: "settle_dependencies", unmet: [] });
  }

  claim(taskId: string, sessionId: string): this {
    return this.#apply(taskId, {
      type: "claim",
      sessionId,
      ttlSeconds: 10,
      capabilities: [],
      claimRequest: null,
      instance: null,
    });
  }

  release(taskId: string, outcome: "complete" | "failed" | "available"): this {
    const sessionId = this.task(taskId).claimedBy ?? "";
    const claim = {
      sessionId,
      attempt: null,
      instance: null,
      result: null,
      error: null,
      retry: true,
    };
    return this.#apply(taskId, { type: "release", outcome, ...claim });
  }

  expire(taskId: string): this {
    const { attempt, leaseEpoch: epoch } = this.task(taskId);
    return this.#apply(taskId, { type: "expire", attempt, epoch });
  }

  /** By an operator. */
  cancel(taskId: string): this {
    return this.#cancel(taskId, true);
  }

  /** An operator asks the holder to stop. */
  ask(taskId: string): this {
    return this.#cancel(taskId, false);
  }

  requeue(taskId: string): this {
    return this.#apply(taskId, { type: "requeue", sessionId: "o", reason: null, unmet: [] });
  }

  remove(taskId: string): this {
    this.#tasks.delete(taskId);
    this.#add(taskId, null);
    return this;
  }

  /** The last state of the task. */
  task(taskId: string): Task {
    const task = this.#tasks.get(taskId);
    if (task === undefined) throw new Error(`the history has no ${taskId}`);
    return task;
  }

  /** Writes any state at all, allowed or not. */
  write(task: Task): this {
    this.#tasks.set(task.taskId, task);
    this.#add(task.taskId, task);
    return this;
  }

  #cancel(taskId: string, force: boolean): this {
    return this.#apply(taskId, { type: "cancel", sessionId: "operator", force, reason: null });
  }

  #add(taskId: string, task: Task | null): void {
    const at = { taskId, revision: this.entries.length + 1, writtenAt: this.#now };
    const replaces = this.#revisionOf(taskId);
    this.entries.push({ ...at, task, unreadable: null, replaces, isByWorker: true });
  }

  #apply(taskId: string, command: Command): this {
    const retryPolicy = { baseMs: 1, maxMs: 1 };
    const context = { now: this.#now, revision: this.#revisionOf(taskId), retryPolicy };
    const decision = transition(this.task(taskId), command, context);
    if (decision.kind !== "write") throw new Error(`${command.type} of ${taskId} writes nothing`);
    return this.write(decision.task);
  }

  #revisionOf(taskId: string): number {
    return this.entries.findLast((entry) => entry.taskId === taskId)?.revision ?? 0;
  }

  /** Each entry is a minute later, so that the delay after a failure has always passed. */
  get #now(): number {
    return Date.UTC(2026, 0, 1) + this.entries.length * 60_000;
  }
}
