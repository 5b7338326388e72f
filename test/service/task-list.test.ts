import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CompactTask } from "../../src/protocol/compact-task.ts";
import { encodeBody } from "../../src/protocol/encoded-json.ts";
import type { Reply, RequestInput } from "../../src/protocol/operations.ts";
import { parseBody } from "../../src/protocol/parse-request.ts";
import type { ServiceContext, TaskStore } from "../../src/service/ports.ts";
import { TaskIndex } from "../../src/service/task-index.ts";
import { TaskList } from "../../src/service/task-list.ts";
import { type Viewer, viewerOf } from "../../src/service/viewer.ts";
import type { Task } from "../../src/task/task.ts";
import { availableTask, claimedTask, NOW } from "../task/sample-task.ts";

/** Each look at the clock takes so long that a pause is due. */
class SlowClock {
  #time = 0;
  now = (): number => NOW;
  steady = (): number => (this.#time += 1_000);
  random = (): number => 0;
}

interface Listing {
  readonly index: TaskIndex;
  readonly page: (
    request: RequestInput<"tasks.list">,
    viewer?: Viewer,
  ) => Promise<{ ids: string[]; next: string | null }>;
}

function listing(tasks: readonly Task[], maxLookedAt?: number): Listing {
  const index = new TaskIndex(() => NOW);
  index.current();
  for (const [i, task] of tasks.entries()) index.entry(CompactTask.of(task, i + 1));
  const store = { lastRevision: () => Promise.resolve(tasks.length) } as unknown as TaskStore;
  const settings = { maxReplyBytes: 1_000_000 } as ServiceContext["settings"];
  const list = new TaskList({ store, index }, { settings, clock: new SlowClock() }, maxLookedAt);
  return {
    index,
    page: async (request, viewer) => {
      const { body } = await list.list(parseBody("tasks.list", JSON.stringify(request)), viewer);
      const reply = JSON.parse(encodeBody(body).toString()) as Reply<"tasks.list">;
      return { ids: reply.tasks.map(({ task_id }) => task_id), next: reply.next_cursor };
    },
  };
}

function numbered(count: number): Task[] {
  return Array.from({ length: count }, (_, i) =>
    availableTask({ taskId: `t${i}`, createdRevision: i + 1 }),
  );
}

describe("a list of tasks", () => {
  it("of what a session holds comes in pages, and reads the claims of the session once for each", async () => {
    const held = numbered(50).map((task, i) =>
      i % 2 === 0 ? { ...task, status: "claimed" as const, claimedBy: "s1" } : task,
    );
    // They are not claimed in order of creation.
    const { page, index } = listing([...held].reverse());
    const reads = index.claims.get.bind(index.claims);
    let count = 0;
    index.claims.get = (key) => {
      count++;
      return reads(key);
    };
    const ids = held.filter(({ claimedBy }) => claimedBy !== null).map(({ taskId }) => taskId);
    const first = await page({ claimed_by: "s1", limit: 20 });
    assert.deepEqual(first.ids, ids.slice(0, 20));
    const second = await page({ claimed_by: "s1", limit: 20, cursor: first.next ?? "" });
    assert.deepEqual([second.ids, second.next], [ids.slice(20), null]);
    assert.equal(count, 2);
    assert.deepEqual(await page({ claimed_by: "s2" }), { ids: [], next: null });
  });

  it("of an agent that sees its own tasks only skips the others, and names none in a cursor", async () => {
    const [others, own] = [numbered(25), { createdBy: "agent.s1", createdRevision: 26 }];
    const { page } = listing([...others, availableTask({ taskId: "own", ...own })], 100);
    const viewer = viewerOf("own", { role: "agent", name: "s1" }) ?? undefined;
    const found: string[][] = [];
    let cursor: string | undefined;
    do {
      const { ids, next } = await page({ ...(cursor !== undefined && { cursor }) }, viewer);
      found.push(ids);
      cursor = next ?? undefined;
      assert.doesNotMatch(cursor ?? "", /t/);
    } while (cursor !== undefined);
    assert.deepEqual(found, [[], [], ["own"]]);
  });

  it("looks at a limited number of tasks for each page, and goes on behind them", async () => {
    const wanted = { taskId: "wanted", tags: ["rare"], createdRevision: 11 };
    const { page } = listing([...numbered(10), availableTask(wanted)], 4);
    const found = [];
    let request: RequestInput<"tasks.list"> = { tags: ["rare"] };
    for (;;) {
      const { ids, next } = await page(request);
      found.push(ids);
      if (next === null) break;
      request = { ...request, cursor: next };
    }
    assert.deepEqual(found, [[], [], ["wanted"]]);
  });

  it("ends with the last task, even if it has looked at as many as it may", async () => {
    const { page } = listing(numbered(4), 4);
    const first = await page({ prefix: "none" });
    assert.deepEqual(first.ids, []);
    assert.deepEqual(await page({ prefix: "none", cursor: first.next ?? "" }), {
      ids: [],
      next: null,
    });
  });

  it("neither repeats nor skips tasks when tasks change and go while it pauses", async (test) => {
    const { index, page } = listing(numbered(200));
    const listed = page({ limit: 1_000 });
    let revision = 1_000;
    const change = setInterval(() => {
      const i = revision % 200;
      const task = claimedTask({ taskId: `t${i}`, createdRevision: i + 1 });
      index.entry(CompactTask.of(task, ++revision));
      index.entry({ taskId: `x${i}`, revision: ++revision, removed: true });
    });
    test.after(() => {
      clearInterval(change);
    });
    const { ids } = await listed;
    assert.deepEqual(
      ids,
      numbered(200).map(({ taskId }) => taskId),
    );
  });

  it("finds what a session holds without looking at the tasks of others", async () => {
    const held = ["h2", "h1"].map((taskId, i) =>
      claimedTask({ taskId, claimedBy: "s1", createdRevision: 100 + i }),
    );
    const { page } = listing([...numbered(10), ...held], 3);
    const first = await page({ claimed_by: "s1", limit: 1 });
    assert.deepEqual(first.ids, ["h2"]);
    const second = await page({ claimed_by: "s1", limit: 1, cursor: first.next ?? "" });
    assert.deepEqual(second, { ids: ["h1"], next: null });
    assert.deepEqual(await page({ claimed_by: "s1", prefix: "t" }), { ids: [], next: null });
    assert.deepEqual(await page({ claimed_by: "nobody" }), { ids: [], next: null });
  });
});
