import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Page, TrackedTasks } from "../../../src/cli/board/tracked-tasks.ts";
import type { TaskChange } from "../../../src/cli/board/task-set.ts";
import type { TaskRecord } from "../../../src/protocol/task-record.ts";
import { taskRecord } from "./task-record.ts";

const PAGE = 3;
const B = taskRecord("b", { created_revision: 2 });

/** A bucket of tasks, as the coordinator has it. */
class Bucket {
  readonly tasks = new Map<string, TaskRecord>();
  revision = 0;

  /** Changes a task, or creates it, and returns the update. */
  write(taskId: string, status: TaskRecord["status"]): TaskChange {
    const before = this.tasks.get(taskId);
    this.revision++;
    const created_revision = before?.created_revision ?? this.revision;
    const task = taskRecord(taskId, { status, created_revision });
    this.tasks.set(taskId, task);
    return { task, revision: this.revision, oldStatus: before?.status ?? null };
  }

  page(after: number): Page {
    const tasks = [...this.tasks.values()]
      .filter(({ created_revision = 0 }) => created_revision > after)
      .slice(0, PAGE);
    return { tasks, revision: this.revision };
  }

  get counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { status } of this.tasks.values()) counts[status] = (counts[status] ?? 0) + 1;
    return counts;
  }
}

/** One scan after the other. */
class Scans {
  readonly tracked = new TrackedTasks();
  readonly #bucket: Bucket;
  #after = 0;
  #isRequested = false;
  /** The worker makes it at any time between request and reply. */
  #page: Page | null = null;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
    this.tracked.beginScan();
  }

  request(): void {
    if (this.#isRequested) return;
    this.#isRequested = true;
    this.tracked.requestPage();
  }

  make(): void {
    if (this.#isRequested) this.#page ??= this.#bucket.page(this.#after);
  }

  /** @returns whether it was the last page of a scan */
  reply(): boolean {
    this.make();
    const page = this.#page;
    if (page === null) return false;
    this.#isRequested = false;
    this.#page = null;
    const isLast = page.tasks.length < PAGE;
    this.tracked.addPage(page, isLast);
    this.#after = isLast ? 0 : (page.tasks.at(-1)?.created_revision ?? 0);
    if (isLast) this.tracked.beginScan();
    return isLast;
  }
}

const STEP = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
    status: fc.constantFrom("available", "claimed", "complete"),
  }),
  fc.record({
    kind: fc.constantFrom("request" as const, "make" as const, "reply" as const),
  }),
  // The oldest updates that have not arrived yet.
  fc.record({ kind: fc.constant("deliver" as const), count: fc.integer({ min: 1, max: 3 }) }),
);

describe("tasks that are tracked by a scan and by updates", () => {
  it("are counted as the bucket counts them, however late pages and updates arrive", () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 80 }), (steps) => {
        const bucket = new Bucket();
        const scans = new Scans(bucket);
        const { tracked } = scans;
        const undelivered: TaskChange[] = [];
        const deliver = (count: number): void => {
          for (const change of undelivered.splice(0, count)) tracked.change(change);
        };
        for (const step of steps) {
          if (step.kind === "write") undelivered.push(bucket.write(step.id, step.status));
          else if (step.kind === "deliver") deliver(step.count);
          else scans[step.kind]();
        }
        do scans.request();
        while (!scans.reply());
        deliver(Infinity);
        const counted = [...tracked.shown.counts].filter(([, count]) => count !== 0);
        assert.deepEqual(Object.fromEntries(counted), bucket.counts);
        const ready = [...bucket.tasks.values()].filter(({ status }) => status === "available");
        assert.deepEqual(
          tracked.shown.ready.entries.map(({ id }) => id),
          ready.map(({ task_id }) => task_id),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("are shown while the first scan runs, and as before while another one does", () => {
    const tracked = new TrackedTasks();
    tracked.beginScan();
    tracked.addPage({ tasks: [taskRecord("a")], revision: 2 }, false);
    assert.equal(tracked.shown.ready.size, 1);
    tracked.addPage({ tasks: [B], revision: 2 }, true);
    tracked.beginScan();
    assert.equal(tracked.shown.ready.size, 2);
    tracked.abandonScan();
    assert.equal(tracked.shown.ready.size, 2);
    assert.equal(tracked.needsScan, true);
  });
});
