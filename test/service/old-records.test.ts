import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Stores, TaskEntry } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** A node that was the leader. When it has `lost` the lead, it answers with the records that it had then. */
class FormerLeader {
  #hasLost = false;
  #lastRevision = 0;
  readonly #old = new Map<string, TaskEntry | null>();
  /** How the real leader makes the next write: the former one refuses it, because it is behind. */
  #refusesNext = false;

  readonly wrap: (stores: Stores) => Stores = withFaults({
    tasks: {
      state: (real) => async () => {
        const state = await real.state();
        return this.#hasLost ? { ...state, lastRevision: this.#lastRevision } : state;
      },
      load: (real) => async (taskId) => {
        if (this.#hasLost) return this.#old.get(taskId) ?? null;
        return real.load(taskId);
      },
      write: (real) => async (prepared, expected, writeId) => {
        const { taskId } = prepared.task;
        if (!this.#hasLost) this.#old.set(taskId, await real.load(taskId));
        const outcome = await real.write(prepared, expected, writeId);
        if (!this.#hasLost && outcome.kind === "written") this.#lastRevision = outcome.revision - 1;
        if (!this.#refusesNext) return outcome;
        this.#refusesNext = false;
        return { kind: "conflict", isDoubtful: true };
      },
    },
  });

  /** It has all records but the last one of each task. */
  loses({ refusesNext = false } = {}): void {
    this.#hasLost = true;
    this.#refusesNext = refusesNext;
  }

  isGone(): void {
    this.#hasLost = false;
  }
}

describe("a node that does not know yet that it no longer leads", () => {
  it("shows no task as it was before the last change that the worker knows", async () => {
    const former = new FormerLeader();
    await using coordinator = await TestCoordinator.start({ wrapStores: former.wrap });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    former.loses();
    assert.equal((await coordinator.refused("tasks.get.a")).code, "unavailable");
    const claim = { session_id: "s1", attempt: 1 };
    for (const subject of ["tasks.renew.a", "tasks.verify.a"]) {
      assert.equal((await coordinator.refused(subject, claim)).code, "unavailable", subject);
    }
    former.isGone();
    assert.equal((await coordinator.ok("tasks.get.a")).task.claimed_by, "s1");
    await coordinator.ok("tasks.renew.a", claim);
  });

  it("hides no task that was created since", async () => {
    const former = new FormerLeader();
    await using coordinator = await TestCoordinator.start({ wrapStores: former.wrap });
    former.loses();
    await coordinator.ok("tasks.create.a");
    assert.equal((await coordinator.refused("tasks.get.a")).code, "unavailable");
    former.isGone();
    await coordinator.ok("tasks.get.a");
  });

  it("lets no release be refused that the leader has made", async () => {
    const former = new FormerLeader();
    await using coordinator = await TestCoordinator.start({ wrapStores: former.wrap });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    former.loses({ refusesNext: true });
    const release = { session_id: "s1", attempt: 1, status: "complete" };
    assert.equal((await coordinator.refused("tasks.release.a", release)).code, "unavailable");
    former.isGone();
    assert.equal((await coordinator.ok("tasks.release.a", release)).task.status, "complete");
    assert.deepEqual(await coordinator.eventsOf("a"), [
      "task_created",
      "task_claimed",
      "task_completed",
    ]);
  });
});

describe("a node that lags behind the leader", () => {
  it("leaves no gap in the history of a task", async () => {
    let isBehind = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          entriesAfter: (real) => async (revision, limit, taskId) => {
            const entries = await real.entriesAfter(revision, limit, taskId);
            return isBehind ? entries.filter((entry) => entry.revision <= 1) : entries;
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    for (const title of ["1", "2", "3"]) await coordinator.ok("tasks.update.a", { title });
    isBehind = true;
    const titles: string[] = [];
    let since = 0;
    for (let pages = 0; pages < 10; pages++) {
      const { entries, has_more } = await coordinator.ok("tasks.history.a", { since });
      titles.push(...entries.map(({ task }: Json) => task.title as string));
      since = entries.at(-1).revision as number;
      if (has_more === false) break;
    }
    assert.deepEqual(titles, ["", "1", "2", "3"]);
  });
});
