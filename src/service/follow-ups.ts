/**
 * Does for all tasks what `followUp` says. Every worker does this for each change that it sees, and for all tasks
 * once it sees them all. So the death of a worker leaves nothing undone, and no leader is needed.
 */
import { hasCode } from "../protocol/errors.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import { type FollowUp, followUp, type Later } from "../task/follow-up.ts";
import { CONNECTION_LOST, type Task } from "../task/task.ts";
import type { LeaseWrites } from "./lease-writes.ts";
import type { Leases } from "./leases.ts";
import type { ConnectionId, ServiceContext } from "./ports.ts";
import { Reconciler, type Work } from "./reconciler.ts";
import type { Replacements } from "./replacements.ts";
import type { Retention } from "./retention.ts";
import type { SessionChange, SessionIndex } from "./session-index.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";

/** So many tasks are looked at before requests get their turn. */
const LOOKS_AT_A_TIME = 1_000;

interface Parts {
  readonly leases: Leases;
  readonly writes: LeaseWrites;
  readonly sessions: SessionIndex;
  readonly replacements: Replacements;
  readonly retention: Retention;
}

export class FollowUps implements Work {
  readonly #tasks: TaskIndex;
  readonly #writer: TaskWriter;
  readonly #parts: Parts;
  readonly #context: ServiceContext;
  readonly #reconciler: Reconciler;
  /** Grows each time that all tasks have to be looked at. */
  #round = 0;

  constructor({ index, writer }: TaskAccess, parts: Parts, context: ServiceContext) {
    this.#tasks = index;
    this.#writer = writer;
    this.#parts = parts;
    this.#context = context;
    this.#reconciler = new Reconciler(this, context);
    const { leases, sessions } = parts;
    index.onChange((change) => {
      this.#changed(change);
    });
    writer.onWritten(({ task }) => {
      this.#written(task);
    });
    leases.onClaimed((taskId) => {
      this.#reconciler.now(taskId);
    });
    leases.index.onChange((taskId) => {
      this.#reconciler.soon(taskId);
    });
    leases.outage.onChange(() => {
      if (leases.outage.sees) void this.#lookAtAll();
    });
    sessions.onChange((change) => {
      this.#sessionChanged(change);
    });
  }

  /** Resolves when the work under way has ended. */
  async stop(): Promise<void> {
    this.#round++;
    await this.#reconciler.stop();
  }

  /** A client has lost its connection. Its session has a moment to name another one. */
  disconnected(connection: ConnectionId): void {
    for (const taskId of this.#parts.leases.disconnected(connection)) this.#reconciler.soon(taskId);
  }

  decide(taskId: string): FollowUp | Later | null {
    if (!this.#parts.leases.outage.sees) return null;
    const { clock, settings } = this.#context;
    const { leases, replacements, retention } = this.#parts;
    const { leaseGraceMs, retentionSeconds } = settings;
    const task = this.#tasks.get(taskId) ?? null;
    const situation = {
      task,
      lease: task === null ? null : leases.stateOf(task),
      hasOldLeases: leases.oldOf(taskId, task).length > 0,
      isReplaced: task !== null && replacements.isStale(task),
      isOutage: leases.outage.isOn,
      isWaiting: () => task !== null && this.#writer.unmet(task).length > 0,
      isNeeded: () => task !== null && retention.isNeeded(task),
    };
    return followUp(situation, {
      steady: clock.steady(),
      now: clock.now(),
      leaseGraceMs,
      retentionMs: retentionSeconds === 0 ? Infinity : retentionSeconds * 1000,
    });
  }

  async perform(taskId: string, action: FollowUp): Promise<void> {
    try {
      await this.#perform(taskId, action);
    } catch (error) {
      // The task may have been removed meanwhile, or its claim may have ended.
      if (!hasCode(error, "not_found", "lease_lost", "not_holder")) throw error;
    }
  }

  #perform(taskId: string, action: FollowUp): Promise<void> {
    const { writes, replacements, retention } = this.#parts;
    const task = this.#tasks.get(taskId);
    if (action.kind === "purge") return writes.purgeOld(taskId, task ?? null);
    if (task === undefined) return Promise.resolve();
    switch (action.kind) {
      case "grant":
        return writes.grant(task);
      case "begin_again":
        return writes.beginAgain(task);
      case "disconnect":
        return writes.disconnect(task);
      case "expire":
        return this.#expire(task, action);
      case "replace":
        return replacements.takeBackStale(task);
      case "settle_dependencies":
        return this.#settle(task);
      case "retire":
        return retention.remove(task);
    }
  }

  async #expire(
    { taskId, attempt, leaseEpoch: epoch }: TaskOutline,
    { reason }: Extract<FollowUp, { kind: "expire" }>,
  ): Promise<void> {
    const command = { type: "expire", attempt, epoch, reason } as const;
    const { written } = await this.#writer.execute(taskId, command);
    const kind = reason === CONNECTION_LOST ? "lease_disconnected" : "lease_expired";
    if (written) this.#context.observe({ kind, taskId, attempt });
  }

  async #settle(task: TaskOutline): Promise<void> {
    // A blocked task is not offered to any session, so the leader's records decide whether to block it.
    const unmet = task.status === "available" ? this.#writer.unmet(task) : [];
    await Promise.allSettled(unmet.map((id) => this.#writer.load(id)));
    await this.#writer.execute(task.taskId, (current) => ({
      type: "settle_dependencies",
      unmet: this.#writer.unmet(current),
    }));
  }

  /** This worker has written the task, so it knows first. */
  #written(task: Task): void {
    // Of a claim, `onClaimed` tells: not before that is it known which connection it names.
    if (task.status !== "claimed") this.#reconciler.now(task.taskId);
    if (task.status !== "complete") return;
    for (const id of this.#tasks.dependents.get(task.taskId)) this.#reconciler.now(id);
  }

  #changed({ taskId, before, after }: TaskChange): void {
    this.#reconciler.soon(taskId);
    if ((before?.status === "complete") === (after?.status === "complete")) return;
    for (const id of this.#tasks.dependents.get(taskId)) this.#reconciler.soon(id);
  }

  #sessionChanged({ sessionId, before, after }: SessionChange): void {
    const instance = after?.instance ?? null;
    if (instance === null || instance === before?.instance) return;
    for (const taskId of this.#tasks.claims.get(sessionId)) this.#reconciler.soon(taskId);
  }

  async #lookAtAll(): Promise<void> {
    const round = ++this.#round;
    const taskIds = new Set(this.#parts.leases.index.taskIds());
    for (const task of this.#tasks.values()) if (mayNeedWork(task)) taskIds.add(task.taskId);
    let count = 0;
    for (const taskId of taskIds) {
      if (++count % LOOKS_AT_A_TIME === 0) await new Promise(setImmediate);
      if (round !== this.#round) return;
      this.#reconciler.soon(taskId);
    }
  }
}

/** Whether something may be due for a task that has not changed for a while. */
function mayNeedWork({ status, dependsOn }: TaskOutline): boolean {
  return (
    status === "claimed" || status === "blocked" || (status === "available" && dependsOn.length > 0)
  );
}
