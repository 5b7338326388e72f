/**
 * The loop around every transition: decide, compare-and-set, and after a conflict load and decide again.
 *
 * Positive answers are durable: success is reported only after the write is acknowledged, or found in
 * the store. Negative answers are fresh: a refusal that was decided on the index is decided again on
 * the leader's record before it is answered.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { encodeTask } from "../protocol/task-record.ts";
import type { Command, Decision } from "../task/commands.ts";
import { unmetDependencies } from "../task/dependencies.ts";
import { createTask, type NewTaskOptions, type Task, type TaskDefinition } from "../task/task.ts";
import { transition } from "../task/transition.ts";
import { BucketRoom } from "./bucket-room.ts";
import { DoubtfulWrites } from "./doubtful-writes.ts";
import { EarlierRecords } from "./earlier-records.ts";
import { LeaderRecords, readable } from "./leader-records.ts";
import { NOTHING_RESERVED, OwnershipLimits } from "./ownership-limits.ts";
import type {
  Clock,
  LoadedTask,
  Observe,
  PreparedTask,
  ServiceContext,
  TaskStore,
} from "./ports.ts";
import type { LimitRules } from "./principal-rules.ts";
import { type Reporter, ReportedContent } from "./reported-content.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { corruptRecord, recordTooLarge, refusalError } from "./refusals.ts";
import type { Executed, SentTask, WriteListener } from "./sent-task.ts";
import type { KnownTask, TaskIndex } from "./task-index.ts";

/** A write that loses this many races is refused: the client has to ask again. */
const MAX_TRIES = 10;
/** An answer names at most this many of the failed and cancelled tasks that keep a task blocked. */
const MAX_DEAD_ENDS = 20;
/** No try begins after this time, so that the client gets an answer within its own timeout. */
const TRY_FOR_MS = 2_000;

export interface ExecuteOptions {
  /** Refuse with `conflict` unless the record has this revision. */
  readonly onlyRevision?: number | undefined;
  /** Refuse records over the size limit; for writes that bring content from outside. */
  readonly limitSize?: boolean;
  /** Refuse what exceeds the limits of the task's creator, or of all tasks. Who asks; `null`: unknown. */
  readonly growsFor?: string | null;
  /** The write has a result or an error: who reports it. */
  readonly reportedBy?: Reporter;
  /** Give up on the first conflict: another session was faster, and another task will do. */
  readonly once?: boolean;
}

/** The tasks: as they are stored, as this worker knows them, and the way to change them. */
export interface TaskAccess {
  readonly store: TaskStore;
  readonly index: TaskIndex;
  readonly writer: TaskWriter;
}

/** A command, or a function that makes it from the task. */
export type CommandFor = Command | ((task: Task) => Command | CoordinatorError);

export class TaskWriter {
  readonly limits: OwnershipLimits;
  readonly earlier: EarlierRecords;
  readonly #store: TaskStore;
  readonly #index: TaskIndex;
  readonly #leader: LeaderRecords;
  readonly #reported: ReportedContent;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #listeners: WriteListener[] = [];

  constructor(store: TaskStore, index: TaskIndex, context: ServiceContext, rules?: LimitRules) {
    const { settings, clock, observe } = context;
    this.#store = store;
    this.#index = index;
    this.#leader = new LeaderRecords(store, index);
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
    const room = new BucketRoom(store, context);
    this.limits = new OwnershipLimits(index.owned, room, context, rules);
    this.#reported = new ReportedContent(index, context, rules);
    this.earlier = new EarlierRecords({ store, index, room }, context);
  }

  /** Calls the listener after each write of this worker. The listener must not throw. */
  onWritten(listener: WriteListener): void {
    this.#listeners.push(listener);
  }

  /** @throws CoordinatorError */
  async execute(
    taskId: string,
    command: CommandFor,
    options: ExecuteOptions = {},
  ): Promise<Executed> {
    const deadline = this.#clock.steady() + TRY_FOR_MS;
    let known: KnownTask | undefined = this.#index.whole(taskId);
    let isFresh = false;
    const inDoubt = new DoubtfulWrites(taskId, this.#store);
    for (let tries = 0; tries < MAX_TRIES && this.#clock.steady() < deadline; tries++) {
      if (known === undefined) {
        known = await this.load(taskId);
        isFresh = true;
      }
      const decision = this.#decide(known, command, options.onlyRevision);
      if (decision instanceof CoordinatorError || decision.kind !== "write") {
        if (isFresh) return this.#withoutWrite(known, decision);
        known = undefined;
        continue;
      }
      const next = this.#store.prepare(decision.task);
      if (options.limitSize === true) this.#requireSize(next);
      const writeId = this.#store.newWriteId();
      const written = await this.#reserveGrowth(next, options);
      const outcome = await this.#store.write(next, known.revision, writeId).finally(written);
      const { task: before } = known;
      if (outcome.kind === "written") {
        const { revision } = outcome;
        const executed = this.#written(next, revision, before);
        const makesRoom = this.earlier.written(taskId, revision, next.record.bytes.length);
        if (makesRoom !== null) await makesRoom;
        return executed;
      }
      this.#observe({
        kind: outcome.kind === "conflict" ? "write_conflict" : "write_unknown",
        taskId,
      });
      const isDoubtful = inDoubt.note(outcome, writeId, known.revision);
      if (!isDoubtful && options.once === true) break;
      // Also after the last try: a write without an acknowledgement may be found now.
      const last = await this.#leader.last(taskId);
      const own = await inDoubt.find(last);
      if (own !== null) return this.#written(own, own.revision, before);
      known = readable(taskId, last);
      isFresh = true;
    }
    throw inDoubt.isEmpty
      ? new CoordinatorError("conflict", `others are changing task ${taskId}: ask again`)
      : inDoubt.unknown();
  }

  /**
   * `isReserved`: the caller has reserved room for it.
   *
   * @throws CoordinatorError `already_exists`, `too_large`, `limit_reached`, `corrupt_record`, `unavailable`
   */
  async create(
    taskId: string,
    definition: TaskDefinition,
    options: NewTaskOptions,
    isReserved = false,
  ): Promise<SentTask> {
    const blocked = this.unmet(definition).length > 0;
    const task = createTask(taskId, definition, { ...options, blocked, now: this.#clock.now() });
    const prepared = this.#store.prepare(task);
    this.#requireSize(prepared);
    if (isReserved) return this.#create(prepared);
    const { principal = null, createdBy: owner = null } = options;
    const added = { tasks: 1, bytes: prepared.record.bytes.length };
    const written = await this.limits.reserve({ principal, owner }, added, added.bytes);
    return await this.#create(prepared).finally(written);
  }

  async #create(prepared: PreparedTask): Promise<SentTask> {
    const { taskId } = prepared.task;
    const deadline = this.#clock.steady() + TRY_FOR_MS;
    let expectedRevision = 0;
    const inDoubt = new DoubtfulWrites(taskId, this.#store);
    for (let tries = 0; tries < MAX_TRIES && this.#clock.steady() < deadline; tries++) {
      const writeId = this.#store.newWriteId();
      const outcome = await this.#store.write(prepared, expectedRevision, writeId);
      if (outcome.kind === "written") return this.#written(prepared, outcome.revision, null);
      inDoubt.note(outcome, writeId, expectedRevision);
      const entry = await this.#leader.last(taskId);
      const own = await inDoubt.find(entry);
      if (own !== null) return this.#written(prepared, own.revision, null);
      if (entry !== null && "task" in entry) {
        throw new CoordinatorError(
          "already_exists",
          `task ${taskId} exists already: choose another id, or change it with tasks.update.${taskId}`,
          {
            task: encodeTask(entry.task),
          },
        );
      }
      if (entry !== null && "corrupt" in entry) throw corruptRecord(taskId, entry.corrupt);
      // A removed task leaves a marker. The new task takes its place.
      expectedRevision = entry?.revision ?? 0;
    }
    throw new CoordinatorError("unavailable", `task ${taskId} could not be written: ask again`);
  }

  /** The leader's record. @throws CoordinatorError `not_found`, `corrupt_record`, `unavailable` */
  load(taskId: string): Promise<LoadedTask> {
    return this.#leader.load(taskId);
  }

  /** The failed and cancelled tasks that keep the task blocked, or the first of them. */
  deadEnds(task: Task): string[] {
    return task.status === "blocked" ? this.#index.deadEnds.causesOf(task, MAX_DEAD_ENDS) : [];
  }

  /** The dependencies that are not complete, as far as this worker knows. */
  unmet(definition: { readonly dependsOn: readonly string[] }): string[] {
    return unmetDependencies(definition.dependsOn, (id) => this.#index.isComplete(id));
  }

  /** The size of the task's record. @throws CoordinatorError `too_large` */
  checkSize(task: Task): number {
    return this.#requireSize(this.#store.prepare(task));
  }

  /** @throws CoordinatorError `limit_reached` */
  async #reserveGrowth(
    { task, record }: PreparedTask,
    { growsFor: principal, reportedBy }: ExecuteOptions,
  ): Promise<() => void> {
    const { length } = record.bytes;
    if (reportedBy !== undefined) this.#reported.requireRoom(reportedBy, task.taskId, length);
    if (principal === undefined) return NOTHING_RESERVED;
    const added = { tasks: 0, bytes: length - (this.#index.get(task.taskId)?.bytes ?? 0) };
    return await this.limits.reserve({ principal, owner: task.createdBy }, added, length);
  }

  #requireSize({ task, record }: PreparedTask): number {
    const size = record.bytes.length;
    const limit = this.#settings.maxRecordBytes;
    if (size > limit) throw recordTooLarge(task.taskId, size, limit);
    return size;
  }

  #decide(
    known: KnownTask,
    command: CommandFor,
    onlyRevision: number | undefined,
  ): Decision | CoordinatorError {
    const made = typeof command === "function" ? command(known.task) : command;
    // First: the conflict below shows the task.
    if (made instanceof CoordinatorError) return made;
    if (onlyRevision !== undefined && onlyRevision !== known.revision) {
      return new CoordinatorError(
        "conflict",
        `task ${known.task.taskId} is at revision ${known.revision}, not ${onlyRevision}: read it again`,
        { task: encodeTask(known.task) },
      );
    }
    return transition(known.task, made, {
      now: this.#clock.now(),
      revision: known.revision,
      retryPolicy: { baseMs: this.#settings.retryBaseMs, maxMs: this.#settings.retryMaxMs },
    });
  }

  #withoutWrite(
    known: KnownTask,
    decision: CoordinatorError | Exclude<Decision, { kind: "write" }>,
  ): Executed {
    if (decision instanceof CoordinatorError) throw decision;
    const { task, revision } = known;
    if (decision.kind === "unchanged") return { task, revision, written: false };
    throw refusalError(task, decision.refusal, {
      unmet: this.unmet(task),
      deadEnds: this.deadEnds(task),
    });
  }

  #written(
    { task, record, bytes }: Pick<SentTask, "task" | "record"> & { readonly bytes?: number },
    revision: number,
    before: Task | null,
  ): Executed {
    this.#index.apply(task, revision, record?.bytes.length ?? bytes ?? 0);
    const executed = { task, revision, record, written: true };
    for (const listener of this.#listeners) listener(executed, before);
    const { taskId, attempt, lastEvent } = task;
    if (lastEvent !== null) {
      const { type: event, sessionId, principal } = lastEvent;
      const kind = "task_written";
      this.#observe({ kind, taskId, event, attempt, revision, sessionId, principal });
    }
    return executed;
  }
}
