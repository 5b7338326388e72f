/**
 * The past as far as the bucket still has it: the history of a task, and the changes after a revision.
 * Both come in pages that fit into a reply, and a page reads only what it can hold.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import { EncodedRecord } from "../protocol/task-record.ts";
import { Pauses } from "./pauses.ts";
import type { AnswerTo, Clock, ReadLimit, ServiceContext, TaskEntry, TaskStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { notFound } from "./refusals.ts";
import { MAX_PAGE_BYTES, ReplyPage } from "./reply-page.ts";

const LAGS_BEHIND = "the bucket's history lags behind: ask again";

/** Each record is encoded once: for its size, and for the reply. */
interface Change extends Omit<Reply<"tasks.changes">["changes"][number], "task"> {
  readonly task: EncodedRecord | null;
}

export class PastRecords {
  readonly #store: TaskStore;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;

  constructor(store: TaskStore, { settings, clock }: Pick<ServiceContext, "settings" | "clock">) {
    this.#store = store;
    this.#settings = settings;
    this.#clock = clock;
  }

  async history(
    taskId: string,
    { since, limit }: Request<"tasks.history">,
  ): Promise<AnswerTo<"tasks.history">> {
    const last = await this.#store.load(taskId);
    if (last === null || "removed" in last) throw notFound("task", taskId);
    if (since >= last.revision) return { body: { ok: true, entries: [], has_more: false } };
    const read = await this.#store.entriesAfter(since, this.#readLimit(limit), taskId);
    const entries = await this.#pageOf(read.length > 0 ? read : [await this.#after(since, taskId)]);
    return {
      body: {
        ok: true,
        entries: entries.map(({ revision, task }) => ({ revision, task })),
        has_more: (entries.at(-1)?.revision ?? since) < last.revision,
      },
    };
  }

  /**
   * The bucket keeps a limited history of each task, so some transitions may be missing. Revisions
   * count every write in the bucket, so a gap in their sequence shows that an entry was trimmed.
   */
  async changes(request: Request<"tasks.changes">): Promise<AnswerTo<"tasks.changes">> {
    const { since, limit } = request;
    // The last entry may be missing, because the markers of removed tasks disappear after a while. The newest
    // entry is read second, so that a write in between does not look like a missing one.
    const state = await this.#store.state();
    const newest = await this.#store.lastRevision();
    const lastRevision = Math.max(newest, state.lastRevision);
    const isAhead = since > lastRevision;
    // For a revision that this bucket never had, only the current state can be reported.
    const after = isAhead ? 0 : since;
    const read =
      after >= newest ? [] : await this.#store.entriesAfter(after, this.#readLimit(limit));
    if (read.length === 0 && after < newest) {
      throw new CoordinatorError("unavailable", LAGS_BEHIND);
    }
    const changes = await this.#pageOf(read);
    let previous = after;
    let complete = !isAhead;
    for (const { revision } of changes) {
      if (revision !== previous + 1) complete = false;
      previous = revision;
    }
    const hasMore = previous < newest;
    if (!hasMore && previous < lastRevision) complete = false;
    return {
      body: {
        ok: true,
        changes,
        last_revision: Math.max(lastRevision, previous),
        bucket_id: state.id,
        complete,
        has_more: hasMore,
      },
    };
  }

  /** The entry that follows this revision. The leader has it, even if the node that answered lags behind. */
  async #after(revision: number, taskId: string): Promise<TaskEntry> {
    const entry = await this.#store.loadFrom(taskId, revision + 1);
    if (entry === null) throw new CoordinatorError("unavailable", LAGS_BEHIND);
    return entry;
  }

  #readLimit(entries: number): ReadLimit {
    return { entries, bytes: Math.min(this.#settings.maxReplyBytes, MAX_PAGE_BYTES) };
  }

  /** The first entries, as many as fit. @throws CoordinatorError `too_large` if the first does not fit */
  async #pageOf(entries: readonly TaskEntry[]): Promise<readonly Change[]> {
    const page = new ReplyPage<Change>(this.#settings.maxReplyBytes);
    const pauses = new Pauses(this.#clock);
    for (const entry of entries) {
      const { taskId, revision } = entry;
      const change = { task_id: taskId, revision, task: recordOf(entry) };
      if (!page.add(change)) {
        if (page.items.length > 0) break;
        const what = `revision ${revision}, a record of task ${taskId},`;
        throw page.tooLarge(what, change, { task_id: taskId, since: revision });
      }
      if (pauses.isDue(true)) await pauses.take();
    }
    return page.items;
  }
}

/** `null` for an entry that is not readable as a task. */
function recordOf(entry: TaskEntry): EncodedRecord | null {
  return "task" in entry ? new EncodedRecord(entry.task) : null;
}
