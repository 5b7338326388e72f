/**
 * The state behind the board: snapshots and updates in, what the screen shows out. It does no I/O, and time is
 * passed in, in epoch milliseconds. It keeps only what a screen can show, and counts.
 */
import type { TaskUpdate } from "../../client/task-update.ts";
import type { Reply } from "../../protocol/operations.ts";
import { Activity, type ActivityView } from "./activity.ts";
import { progressText } from "./format.ts";
import { kept } from "./kept-text.ts";
import { type Sessions, SessionTable, type SessionView } from "./session-table.ts";
import type { BoardTask } from "./task-set.ts";
import { type Page, TrackedTasks } from "./tracked-tasks.ts";

export interface BoardOptions {
  /** Whether the counts must be made here, because the coordinator's would contain other tasks. */
  readonly countsHere?: boolean;
  /** Which events are listed. Default: all. */
  readonly wantsEvent?: (update: TaskUpdate) => boolean;
  /** Whose claims and registrations are listed. Default: those of all sessions. */
  readonly wantsSession?: (sessionId: string) => boolean;
}

export type Stats = Pick<Reply<"tasks.stats">, "tasks" | "ready" | "dead_ends">;

/** Whether the board is current. */
export type ConnectionState = "connected" | "disconnected" | "no coordinator";

export interface EventView {
  readonly at: number;
  /** Without `task_`. */
  readonly type: string;
  readonly taskId: string;
  readonly session: string;
  /** The reason of the event, or the title of the task. */
  readonly detail: string;
}

export interface HeldView extends BoardTask {
  readonly heldMs: number;
  /** `null`: not known. */
  readonly leaseMs: number | null;
  readonly progress: string | null;
}

export interface ReadyView extends BoardTask {
  /** Whether no registered session has all that the task requires. */
  readonly isStuck: boolean;
}

export interface BoardView {
  readonly now: number;
  readonly connection: ConnectionState;
  readonly connectionMs: number;
  /** Whether the tasks are being read for the first time. */
  readonly isLoading: boolean;
  /** Empty: not known yet. */
  readonly counts: ReadonlyMap<string, number>;
  readonly deadEnds: number;
  /** Tasks that a session could claim now. */
  readonly readyTotal: number;
  /** Of the ready tasks, how many no registered session can claim. */
  readonly stuck: number;
  /** Whether there may be more of them, among tasks that the board does not keep. */
  readonly isStuckPartial: boolean;
  readonly ready: readonly ReadyView[];
  readonly heldTotal: number;
  readonly held: readonly HeldView[];
  readonly sessionTotal: number;
  readonly sessions: readonly SessionView[];
  readonly activity: ActivityView;
  /** The newest first. */
  readonly events: readonly EventView[];
}

interface KnownLease {
  readonly attempt: number;
  readonly expiresAt: number;
  readonly progress: string | null;
}

const MAX_EVENTS = 500;

export class BoardModel {
  readonly #options: BoardOptions;
  readonly #tasks = new TrackedTasks();
  readonly #activity = new Activity();
  readonly #sessions = new SessionTable();
  readonly #events: EventView[] = [];
  #leases = new Map<string, KnownLease>();
  #stats: Stats | null = null;
  #connection: ConnectionState = "connected";
  #connectionSince: number;
  #trackAfter = 0;

  constructor(now: number, options: BoardOptions = {}) {
    this.#connectionSince = now;
    this.#options = options;
  }

  update(update: TaskUpdate, now: number): void {
    if (update.revision > this.#trackAfter) this.#track(update);
    const event = toEventView(update);
    // The clock of the worker may be ahead.
    const at = Math.min(event.at, now);
    if (event.type === "completed") this.#activity.record("completed", at);
    if (["failed", "attempt_failed"].includes(event.type)) this.#activity.record("failed", at);
    if (this.#options.wantsEvent?.(update) === false) return;
    this.#events.unshift(event);
    if (this.#events.length > MAX_EVENTS) this.#events.length = MAX_EVENTS;
  }

  /** What has happened up to this revision is only listed: the scan finds its result. */
  trackAfter(revision: number): void {
    this.#trackAfter = revision;
  }

  removed(taskId: string): void {
    this.#tasks.remove(taskId);
    if (this.#options.countsHere === true) this.#tasks.doubt();
  }

  get needsScan(): boolean {
    return this.#tasks.needsScan;
  }

  /** Updates may have been missed, so that another scan is needed. */
  doubt(): void {
    this.#tasks.doubt();
  }

  beginScan(): void {
    this.#tasks.beginScan();
  }

  abandonScan(): void {
    this.#tasks.abandonScan();
  }

  requestPage(): void {
    this.#tasks.requestPage();
  }

  addPage(page: Page, isLast: boolean): void {
    this.#tasks.addPage(page, isLast);
  }

  setStats(stats: Stats): void {
    this.#stats = stats;
  }

  setSessions(sessions: Sessions): void {
    this.#sessions.set(sessions);
  }

  /** The leases of the tasks that are shown. Others are forgotten. */
  setLeases(replies: readonly Reply<"tasks.get">[]): void {
    this.#leases = new Map(
      replies.flatMap(({ task, lease }) =>
        lease === null
          ? []
          : [[task.task_id, toKnownLease(task.attempt, lease.expires_at, lease.progress)]],
      ),
    );
  }

  setConnection(state: ConnectionState, now: number): void {
    if (state === this.#connection) return;
    this.#connection = state;
    this.#connectionSince = now;
  }

  /** @param rows of the screen: no list needs more */
  view(now: number, rows: number): BoardView {
    const { shown } = this.#tasks;
    shown.wake(now);
    const { wantsSession = () => true } = this.#options;
    const isStuck = this.#sessions.stuckness();
    const ready = this.#tasks.ready.entries;
    const held = shown.held.entries.filter(({ holder }) => wantsSession(holder));
    const counts = this.#counts();
    return {
      now,
      connection: this.#connection,
      connectionMs: now - this.#connectionSince,
      isLoading: !this.#tasks.isComplete,
      counts,
      deadEnds: this.#stats?.dead_ends ?? 0,
      readyTotal: this.#readyTotal(),
      stuck: ready.filter(({ requires }) => isStuck(requires)).length,
      isStuckPartial: shown.ready.isPartial,
      ready: ready.slice(0, rows).map((task) => ({ ...task, isStuck: isStuck(task.requires) })),
      heldTotal: shown.held.isPartial ? (counts.get("claimed") ?? held.length) : held.length,
      held: held.slice(0, rows).map((task) => this.#toHeldView(task, now)),
      ...this.#sessions.view(wantsSession, rows),
      activity: this.#activity.view(now),
      events: this.#events.slice(0, rows),
    };
  }

  #track({ task, revision, old_status: oldStatus, type, transitions_missing }: TaskUpdate): void {
    // After a gap, or a write by hand, the status before is not the one that was counted.
    const isOddOne = oldStatus === null && type !== "task_created";
    if (transitions_missing || isOddOne) this.#tasks.doubt();
    this.#tasks.change({ task, revision, oldStatus });
  }

  #counts(): ReadonlyMap<string, number> {
    if (this.#options.countsHere === true) return this.#tasks.shown.counts;
    return new Map(Object.entries(this.#stats?.tasks ?? {}));
  }

  #readyTotal(): number {
    const { counts, delayed, ready } = this.#tasks.shown;
    if (!ready.isPartial) return ready.size;
    if (this.#options.countsHere !== true) return this.#stats?.ready ?? ready.size;
    return (counts.get("available") ?? 0) - delayed.size;
  }

  #toHeldView(task: BoardTask, now: number): HeldView {
    const lease = this.#leases.get(task.id);
    const isCurrent = lease?.attempt === task.attempt;
    return {
      ...task,
      heldMs: Math.max(0, now - task.claimedAt),
      leaseMs: isCurrent ? Math.max(0, lease.expiresAt - now) : null,
      progress: isCurrent ? lease.progress : null,
    };
  }
}

function toKnownLease(attempt: number, expiresAt: string, progress: unknown): KnownLease {
  return {
    attempt,
    expiresAt: Date.parse(expiresAt),
    progress: progress === null || progress === undefined ? null : progressText(progress),
  };
}

function toEventView({
  type,
  task_id,
  session_id,
  claimed_by,
  reason,
  timestamp,
  task,
}: TaskUpdate): EventView {
  return {
    at: Date.parse(timestamp),
    type: kept(type.replace(/^task_/, "")),
    taskId: kept(task_id),
    session: kept(session_id ?? claimed_by ?? ""),
    detail: kept(reason ?? task.title),
  };
}
