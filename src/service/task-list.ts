/**
 * Lists tasks from the index, once it has caught up. A page ends when it is full, and also after many tasks
 * that do not fit the filter: then the next page goes on there.
 */
import type { CompactTask } from "../protocol/compact-task.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import type { Request } from "../protocol/operations.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import { EncodedRecord } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import { hasTags } from "../task/eligibility.ts";
import { Pauses } from "./pauses.ts";
import type { AnswerTo, Clock, ServiceContext, TaskStore } from "./ports.ts";
import { ReplyPage } from "./reply-page.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { compareCreation, type CreationKey, type TaskIndex } from "./task-index.ts";
import type { TaskAccess } from "./task-writer.ts";
import type { Viewer } from "./viewer.ts";

/** A page looks at this many tasks at most, which takes some 10 ms. */
const MAX_LOOKED_AT = 100_000;

/** Looking at a task takes so many times as long if it must be found out whose it is. */
const OWNER_COSTS = 10;

/** So many records are read from the store at a time. */
const AT_A_TIME = 16;

/** A part of the tasks, in their order. */
interface Portion {
  /** Those that fit the filter. */
  readonly found: readonly CompactTask[];
  readonly lookedAt: number;
  /** The last one that was looked at; `null`: there are none left. */
  readonly last: CreationKey | null;
}

export class TaskList {
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #maxLookedAt: number;

  constructor(
    { store, index }: Pick<TaskAccess, "store" | "index">,
    { settings, clock }: Pick<ServiceContext, "settings" | "clock">,
    maxLookedAt = MAX_LOOKED_AT,
  ) {
    this.#store = store;
    this.#tasks = index;
    this.#settings = settings;
    this.#clock = clock;
    this.#maxLookedAt = maxLookedAt;
  }

  /** `viewer`: for whom; `null`: for somebody who sees all tasks. */
  async list(
    request: Request<"tasks.list">,
    viewer: Viewer | null = null,
  ): Promise<AnswerTo<"tasks.list">> {
    await this.#tasks.position.catchUp(this.#store);
    // Tasks that change during a pause may be newer than this, but none is older.
    const { revision } = this.#tasks.position;
    const page = new ReplyPage<EncodedRecord>(this.#settings.maxReplyBytes);
    const owner = viewer?.hidesOthers === true ? viewer : null;
    const next = await this.#fill(page, request, owner);
    return { body: { ok: true, tasks: page.items, revision, next_cursor: next } };
  }

  /** Returns the cursor of the next page; `null` if this is the last one. */
  async #fill(
    page: ReplyPage<EncodedRecord>,
    request: Request<"tasks.list">,
    owner: Viewer | null,
  ): Promise<string | null> {
    const fits = wantedBy(request, (id) => this.#tasks.deadEnds.has(id));
    const wanted = (task: Listed): boolean =>
      fits(task) && (owner === null || isOwnedBy(owner, task));
    const cursorAfter = owner === null ? cursorAfterTask : cursorWithoutId;
    const costs = owner === null ? 1 : OWNER_COSTS;
    const maxLookedAt = Math.ceil(this.#maxLookedAt / costs);
    const pauses = new Pauses(this.#clock);
    const { claimed_by: holder } = request;
    // Once for the page: a session can hold thousands.
    const held = holder === undefined ? null : this.#heldBy(holder);
    let last = request.cursor === undefined ? null : keyOf(request.cursor);
    let lookedAt = 0;
    for (;;) {
      const most = {
        found: Math.min(AT_A_TIME, request.limit - page.items.length + 1),
        lookedAt: maxLookedAt - lookedAt,
      };
      const some = this.#some(this.#after(last, held), wanted, most, pauses);
      const records = await Promise.all(some.found.map((task) => this.#read(task, wanted)));
      for (const [i, task] of some.found.entries()) {
        const record = records[i] ?? null;
        if (record !== null && (page.items.length === request.limit || !page.add(record))) {
          // There is a last one, because a page has room for at least one task.
          if (page.items.length > 0 && last !== null) return cursorAfter(last);
          const next = { cursor: cursorAfter(task) };
          throw page.tooLarge(`the record of task ${task.taskId}`, record, next);
        }
        last = task;
        if (pauses.isDue(true)) await pauses.take();
      }
      if (some.last === null) return null;
      last = some.last;
      lookedAt += some.lookedAt;
      if (lookedAt >= maxLookedAt) return cursorAfter(last);
      if (pauses.isDue(true)) await pauses.take();
    }
  }

  /** The first of the tasks that fit. It ends also when a pause is due. */
  #some(
    tasks: Iterable<CompactTask>,
    wanted: (task: Listed) => boolean,
    most: { readonly found: number; readonly lookedAt: number },
    pauses: Pauses,
  ): Portion {
    const found: CompactTask[] = [];
    let lookedAt = 0;
    for (const task of tasks) {
      if (wanted(task)) found.push(task);
      const isFull = ++lookedAt === most.lookedAt || found.length === most.found;
      if (isFull || pauses.isDue()) return { found, lookedAt, last: task };
    }
    return { found, lookedAt, last: null };
  }

  /** The record. Its content may be only in the store, where the task may have changed, or may be gone: `null`. */
  async #read(
    known: CompactTask,
    wanted: (task: Listed) => boolean,
  ): Promise<EncodedRecord | null> {
    if (known.isWhole) return new EncodedRecord(known.task);
    const entry = await this.#store.load(known.taskId);
    if (entry === null || !("task" in entry) || !wanted(entry.task)) return null;
    return new EncodedRecord(entry.task);
  }

  /** `held`: only these. In order of creation. The index must not change during the iteration. */
  *#after(
    last: CreationKey | null,
    held: readonly CompactTask[] | null,
  ): Generator<CompactTask, void> {
    if (held !== null) {
      for (let i = last === null ? 0 : countUpTo(last, held); i < held.length; i++) {
        const task = held[i];
        if (task !== undefined) yield task;
      }
      return;
    }
    const { byCreation } = this.#tasks;
    for (const task of last === null ? byCreation : byCreation.from(last)) {
      if (last === null || compareCreation(task, last) !== 0) yield task;
    }
  }

  /** What a session holds is found without looking at the tasks of others. In order of creation. */
  #heldBy(sessionId: string): CompactTask[] {
    const held = [...this.#tasks.claims.get(sessionId)].flatMap(
      (taskId) => this.#tasks.get(taskId) ?? [],
    );
    return held.sort(compareCreation);
  }
}

/** How many of the tasks, which are in order of creation, do not come after this one. */
function countUpTo(last: CreationKey, tasks: readonly CompactTask[]): number {
  let [low, high] = [0, tasks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const task = tasks[middle];
    if (task !== undefined && compareCreation(task, last) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Names the last task and not a position, so pages neither repeat nor skip tasks when others change. */
function cursorAfterTask({ createdRevision, taskId }: CreationKey): string {
  return `${createdRevision ?? 0}:${taskId}`;
}

/** The last task may be hidden. No id is after `~`, and there is only one task of each revision. */
function cursorWithoutId({ createdRevision }: CreationKey): string {
  return `${createdRevision ?? 0}:~`;
}

/** As the index knows it, or as it was read. */
type Listed = CompactTask | Task;

/** Who completed a task is not among the fields that the index has at hand. */
function isOwnedBy(owner: Viewer, listed: Listed): boolean {
  const { createdBy, claimedBy, status } = listed;
  if (owner.isOwn({ createdBy, claimedBy, completedBy: null })) return true;
  if (status !== "complete") return false;
  const { completedBy } = "task" in listed ? listed.task : listed;
  return owner.isOwnSession(completedBy);
}

/** @throws CoordinatorError `invalid_request` */
function keyOf(cursor: string): CreationKey {
  const [, createdRevision = "", taskId = ""] = /^(\d+):(.+)$/.exec(cursor) ?? [];
  if (taskId !== "") return { createdRevision: Number(createdRevision), taskId };
  throw new CoordinatorError(
    "invalid_request",
    "cursor: is not valid: use next_cursor of the previous page",
    { details: { field: "cursor" } },
  );
}

function wantedBy(
  request: Request<"tasks.list">,
  isDeadEnd: (taskId: string) => boolean,
): (task: TaskOutline) => boolean {
  const { status, claimed_by: claimedBy, dead_end: deadEnd, prefix, tags } = request;
  const { created_by: createdBy } = request;
  const statuses = status === undefined ? null : new Set([status].flat());
  return (task) =>
    (statuses === null || statuses.has(task.status)) &&
    (deadEnd === undefined || isDeadEnd(task.taskId) === deadEnd) &&
    (claimedBy === undefined || task.claimedBy === claimedBy) &&
    (createdBy === undefined || task.createdBy === createdBy) &&
    task.taskId.startsWith(prefix) &&
    hasTags(task.tags, tags);
}
