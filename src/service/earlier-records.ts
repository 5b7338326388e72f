/**
 * Makes room in the bucket `tasks` when it is nearly full: the earlier records of tasks give way, so that neither
 * creates nor the ends of claims fail because of the past. Otherwise an agent could fill the bucket with the
 * history of its tasks, which takes several times as much as the tasks.
 *
 * Each write then removes the earlier records of its own task, so that claims and releases add nothing. Rounds in
 * the background remove those of the creator whose tasks take most.
 */
import type { CompactTask } from "../protocol/compact-task.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import { forEachAtATime } from "./at-a-time.ts";
import type { BucketRoom } from "./bucket-room.ts";
import { Pauses } from "./pauses.ts";
import type { ServiceContext, TaskStore } from "./ports.ts";
import type { TaskIndex } from "./task-index.ts";

/** A round looks at all tasks. */
const ROUND_EVERY_MS = 5_000;
/** Each takes some round trips, in which others can run. */
const AT_A_TIME = 16;
/** After so many tasks, the server is asked whether there is room. */
const PORTION = 256;

interface Parts {
  readonly store: Pick<TaskStore, "dropHistory">;
  readonly index: TaskIndex;
  readonly room: BucketRoom;
}

export class EarlierRecords {
  readonly #parts: Parts;
  readonly #context: ServiceContext;
  /** Records before which there is nothing. */
  readonly #first = new WeakSet<CompactTask>();
  #round: Promise<void> | null = null;
  #nextRoundAt = 0;
  #stopped = false;

  constructor(parts: Parts, context: ServiceContext) {
    this.#parts = parts;
    this.#context = context;
  }

  /**
   * Call this after a write that has replaced a record. `null`: there is room. Otherwise it resolves when the
   * earlier records are gone, or could not be removed. Never rejects.
   */
  written(taskId: string, revision: number, bytes: number): Promise<void> | null {
    const { room } = this.#parts;
    room.noteWritten(bytes);
    if (!room.isCrowded) return null;
    this.#beginRound();
    return this.#drop(taskId, revision);
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#round;
  }

  async #drop(taskId: string, revision: number): Promise<void> {
    try {
      await this.#parts.store.dropHistory(taskId, revision);
    } catch (error) {
      // The next write of the task, or the next round, tries again.
      if (!(error instanceof CoordinatorError)) throw error;
    }
  }

  #beginRound(): void {
    const { clock, observe } = this.#context;
    if (this.#stopped || this.#round !== null || clock.steady() < this.#nextRoundAt) return;
    this.#round = this.#makeRoom()
      .catch((cause: unknown) => {
        observe({ kind: "background_error", what: "removal of earlier records", cause });
      })
      .finally(() => {
        this.#round = null;
        this.#nextRoundAt = clock.steady() + ROUND_EVERY_MS;
      });
  }

  async #makeRoom(): Promise<void> {
    const { room } = this.#parts;
    const tasks = await this.#tasksOfLargest();
    for (let from = 0; from < tasks.length && !this.#stopped; from += PORTION) {
      await room.look();
      if (!room.isCrowded) return;
      await forEachAtATime(AT_A_TIME, tasks.slice(from, from + PORTION), async (task) => {
        if (this.#stopped || !this.#mayFollowOthers(task)) return;
        await this.#drop(task.taskId, task.revision);
        this.#first.add(task);
      });
    }
  }

  /** The tasks that may have earlier records, of the creator whose tasks take most. The largest come first. */
  async #tasksOfLargest(): Promise<CompactTask[]> {
    const bytesOf = new Map<string | null, number>();
    await this.#forEachThatFollowsOthers(({ createdBy, bytes }) => {
      bytesOf.set(createdBy, (bytesOf.get(createdBy) ?? 0) + bytes);
    });
    const [largest] = [...bytesOf].sort(([, a], [, b]) => b - a);
    if (largest === undefined) return [];
    const found: CompactTask[] = [];
    await this.#forEachThatFollowsOthers((task) => {
      if (task.createdBy === largest[0]) found.push(task);
    });
    return found.sort((a, b) => b.bytes - a.bytes);
  }

  async #forEachThatFollowsOthers(visit: (task: CompactTask) => void): Promise<void> {
    const pauses = new Pauses(this.#context.clock);
    for (const task of this.#parts.index.values()) {
      if (this.#mayFollowOthers(task)) visit(task);
      if (pauses.isDue()) await pauses.take();
    }
  }

  #mayFollowOthers(task: CompactTask): boolean {
    const { taskId, revision, createdRevision } = task;
    if (revision === createdRevision || this.#first.has(task)) return false;
    return this.#parts.index.get(taskId) === task;
  }
}
