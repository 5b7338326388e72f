/** Reads: one task from the leader's record, many tasks from the index once it has caught up. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import type { CompactTask } from "../protocol/compact-task.ts";
import { iso } from "../protocol/instants.ts";
import type { TaskOutline } from "../protocol/packed-fields.ts";
import { EncodedRecord, encodeTask } from "../protocol/task-record.ts";
import { hasTags } from "../task/eligibility.ts";
import type { Task } from "../task/task.ts";
import type { Leases } from "./leases.ts";
import type { ParkedRequests } from "./parked-requests.ts";
import type { AnswerTo, Clock, ServiceContext, TaskStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { ReplyPage } from "./reply-page.ts";
import type { SessionIndex } from "./session-index.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";

/** What `get` and `stats` show in addition to tasks. */
interface OtherParts {
  readonly leases: Leases;
  readonly sessions: SessionIndex;
  readonly parked: ParkedRequests;
  /** Whether claims end with their session's connection. */
  readonly areDisconnectsReported: () => boolean;
}

export class Queries {
  readonly #store: TaskStore;
  readonly #writer: TaskWriter;
  readonly #tasks: TaskIndex;
  readonly #others: OtherParts;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(
    { store, index, writer }: TaskAccess,
    others: OtherParts,
    { settings, clock }: ServiceContext,
  ) {
    this.#store = store;
    this.#writer = writer;
    this.#tasks = index;
    this.#others = others;
    this.#settings = settings;
    this.#clock = clock;
    this.#startedAt = clock.steady();
  }

  async get(taskId: string): Promise<AnswerTo<"tasks.get">> {
    const { task, revision } = await this.#writer.load(taskId);
    const lease = leaseOf(task, this.#others.leases);
    const deadEnds = this.#writer.deadEnds(task);
    return { body: { ok: true, task: encodeTask(task), revision, lease, dead_ends: deadEnds } };
  }

  async list(request: Request<"tasks.list">): Promise<AnswerTo<"tasks.list">> {
    await this.#tasks.position.catchUp(this.#store);
    const isDeadEnd = (id: string): boolean => this.#tasks.deadEnds.has(id);
    const wanted = wantedBy(request, isDeadEnd);
    const page = new ReplyPage<EncodedRecord>(this.#settings.maxReplyBytes);
    let last: CompactTask | null = null;
    let isCut = false;
    for (const task of this.#from(request.cursor)) {
      if (!wanted(task)) continue;
      const record = new EncodedRecord(task.task);
      isCut = page.items.length === request.limit || !page.add(record);
      if (isCut && last === null) {
        const next = { cursor: cursorAfter(task) };
        throw page.tooLarge(`the record of task ${task.taskId}`, record, next);
      }
      if (isCut) break;
      last = task;
    }
    return {
      body: {
        ok: true,
        tasks: page.items,
        revision: this.#tasks.position.revision,
        next_cursor: isCut && last !== null ? cursorAfter(last) : null,
      },
    };
  }

  async stats(): Promise<AnswerTo<"tasks.stats">> {
    await this.#tasks.position.catchUp(this.#store);
    const counts = this.#tasks.counts();
    const { leases, sessions, parked, areDisconnectsReported } = this.#others;
    this.#tasks.ready.promoteDue(this.#clock.now());
    const body: Reply<"tasks.stats"> = {
      ok: true,
      tasks: counts,
      total: this.#tasks.size,
      ready: counts.available - this.#tasks.ready.delayedCount,
      dead_ends: this.#tasks.deadEnds.size,
      corrupt: this.#tasks.corruptCount,
      leases: leases.index.size,
      sessions: sessions.size,
      release_on_disconnect: areDisconnectsReported(),
      revision: this.#tasks.position.revision,
      worker: {
        id: this.#settings.workerId,
        version: this.#settings.version,
        uptime_seconds: Math.round((this.#clock.steady() - this.#startedAt) / 1000),
        waiting: parked.size,
      },
    };
    return { body };
  }

  *#from(cursor: string | undefined): Generator<CompactTask, void> {
    if (cursor === undefined) {
      yield* this.#tasks.byCreation;
      return;
    }
    const [, createdRevision = "", taskId = ""] = /^(\d+):(.+)$/.exec(cursor) ?? [];
    if (taskId === "") {
      throw new CoordinatorError(
        "invalid_request",
        "cursor: is not valid: use next_cursor of the previous page",
        { details: { field: "cursor" } },
      );
    }
    for (const task of this.#tasks.byCreation.from({
      createdRevision: Number(createdRevision),
      taskId,
    })) {
      if (cursorAfter(task) !== cursor) yield task;
    }
  }
}

/** The lease of the current claim; an estimate while it is not written. */
function leaseOf(task: Task, leases: Leases): Reply<"tasks.get">["lease"] {
  if (task.status !== "claimed") return null;
  const { lease, expiresAt } = leases.describe(task);
  const { ttlSeconds, progress } = lease;
  return { ttl_seconds: ttlSeconds, expires_at: iso(expiresAt), progress };
}

/** Names the last task and not a position, so pages neither repeat nor skip tasks when others change. */
function cursorAfter(task: TaskOutline): string {
  return `${task.createdRevision ?? 0}:${task.taskId}`;
}

function wantedBy(
  request: Request<"tasks.list">,
  isDeadEnd: (taskId: string) => boolean,
): (task: TaskOutline) => boolean {
  const { status, claimed_by: claimedBy, dead_end: deadEnd, prefix, tags } = request;
  const statuses = status === undefined ? null : new Set([status].flat());
  return (task) =>
    (statuses === null || statuses.has(task.status)) &&
    (deadEnd === undefined || isDeadEnd(task.taskId) === deadEnd) &&
    (claimedBy === undefined || task.claimedBy === claimedBy) &&
    task.taskId.startsWith(prefix) &&
    hasTags(task.tags, tags);
}
