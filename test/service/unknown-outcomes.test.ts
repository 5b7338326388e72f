import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import type { Task } from "../../src/task/task.ts";
import type { Stores, WriteOutcome } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/**
 * Stores that lose the acknowledgement of the first write that fits. The write itself arrives only
 * after the worker has looked for it.
 */
function arrivesLate(fits: (task: Task) => boolean): (stores: Stores) => Stores {
  let land: (() => Promise<WriteOutcome>) | null = null;
  let isDone = false;
  return withFaults({
    tasks: {
      write: (real) => (prepared, expected, writeId) => {
        if (isDone || !fits(prepared.task)) return real.write(prepared, expected, writeId);
        isDone = true;
        land = () => real.write(prepared, expected, writeId);
        return Promise.resolve({ kind: "unknown" });
      },
      load: (real) => async (taskId) => {
        const entry = await real.load(taskId);
        const landing = land;
        land = null;
        if (landing !== null) assert.equal((await landing()).kind, "written");
        return entry;
      },
    },
  });
}

describe("a write that arrives after the worker gave up its acknowledgement", () => {
  it("of a new task is recognized, and the create succeeds", async () => {
    await using coordinator = await TestCoordinator.start({ wrapStores: arrivesLate(() => true) });
    const { task, revision } = await coordinator.ok("tasks.create.a", { title: "mine" });
    assert.deepEqual([task.title, task.status, revision], ["mine", "available", 1]);
    assert.deepEqual(await coordinator.eventsOf("a"), ["task_created"]);
    const again = await coordinator.refused("tasks.create.a", { title: "mine" });
    assert.equal(again.code, "already_exists");
  });

  it("of a claim or a release is recognized, and counts once", async () => {
    for (const status of ["claimed", "complete"]) {
      await using coordinator = await TestCoordinator.start({
        wrapStores: arrivesLate((task) => task.status === status),
      });
      await coordinator.ok("tasks.create.a");
      const { attempt } = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
      assert.equal(attempt, 1);
      const release = { session_id: "s1", attempt, status: "complete" };
      assert.equal((await coordinator.ok("tasks.release.a", release)).task.status, "complete");
      assert.deepEqual(await coordinator.eventsOf("a"), [
        "task_created",
        "task_claimed",
        "task_completed",
      ]);
    }
  });

  it("of another client's task with the same id is still refused", async () => {
    let isFirst = true;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            if (!isFirst) return real.write(prepared, expected, writeId);
            isFirst = false;
            await real.write(real.prepare({ ...prepared.task, title: "theirs" }), 0);
            return { kind: "unknown" };
          },
        },
      }),
    });
    const error = await coordinator.refused("tasks.create.a", { title: "mine" });
    assert.equal(error.code, "already_exists");
    assert.equal((await coordinator.ok("tasks.get.a")).task.title, "theirs");
  });

  it("is found even if there is no time for another try", async () => {
    let late = 0;
    await using coordinator = await TestCoordinator.start({
      clock: { steady: () => performance.now() + late },
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            const outcome = await real.write(prepared, expected, writeId);
            if (prepared.task.status !== "claimed" || late > 0) return outcome;
            // As long as a worker waits for an acknowledgement, and longer than it begins tries.
            late = 2_500;
            return { kind: "unknown" };
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    assert.equal((await coordinator.ok("tasks.claim.a", { session_id: "s1" })).attempt, 1);
  });
});

/** Stores in which another write follows a write that fits, before its worker looks for it. */
function overtaken(
  fits: (task: Task) => boolean,
  follow: (written: Task) => Partial<Task>,
): (stores: Stores) => Stores {
  let isDone = false;
  return withFaults({
    tasks: {
      write: (real) => async (prepared, expected, writeId) => {
        const { task } = prepared;
        if (isDone || !fits(task)) return real.write(prepared, expected, writeId);
        isDone = true;
        const outcome = await real.write(prepared, expected, writeId);
        assert.equal(outcome.kind, "written");
        const { revision } = outcome;
        const next = { ...task, createdRevision: task.createdRevision ?? revision };
        const following = real.prepare({ ...next, ...follow(task) });
        const followed = await real.write(following, revision);
        assert.equal(followed.kind, "written");
        return { kind: "unknown" };
      },
    },
  });
}

describe("a write without an acknowledgement that others have followed", () => {
  it("of a new task is not refused, because the others have built on it", async () => {
    const claim = { status: "claimed", claimedBy: "s2", attempt: 1, ttlSeconds: 60 } as const;
    await using coordinator = await TestCoordinator.start({
      wrapStores: overtaken(
        () => true,
        () => claim,
      ),
    });
    const { task, revision } = await coordinator.ok("tasks.create.a");
    assert.deepEqual([task.status, revision], ["available", 1]);
    assert.equal((await coordinator.ok("tasks.get.a")).task.claimed_by, "s2");
  });

  it("of a release is neither refused nor made twice", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: overtaken(
        ({ lastEvent }) => lastEvent?.type === "task_released",
        () => ({ title: "changed since" }),
      ),
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const release = { session_id: "s1", attempt: 1, status: "available" };
    const { task } = await coordinator.ok("tasks.release.a", release);
    assert.deepEqual([task.status, task.title], ["available", ""]);
    assert.equal((await coordinator.ok("tasks.history.a")).entries.length, 4);
  });
});

/** A barrier at which the next two writes wait for each other. */
class Meeting {
  readonly #events = new EventEmitter();
  #missing = 0;

  awaitTwo(): void {
    this.#missing = 2;
  }

  async reached(): Promise<void> {
    if (this.#missing === 0) return;
    this.#missing--;
    if (this.#missing > 0) await once(this.#events, "complete");
    else this.#events.emit("complete");
  }
}

describe("a write that a former leader refuses while the leader makes it", () => {
  /** As after an election: both servers get the write, and the former leader answers first. */
  function refusedButMade(fits: (task: Task) => boolean): (stores: Stores) => Stores {
    return withFaults({
      tasks: {
        write: (real) => async (prepared, expected, writeId) => {
          const outcome = await real.write(prepared, expected, writeId);
          if (outcome.kind !== "written" || !fits(prepared.task)) return outcome;
          return { kind: "conflict", isDoubtful: true };
        },
      },
    });
  }

  it("is found, so next and claim succeed and count once", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: refusedButMade(({ status }) => status === "claimed"),
    });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1", request_id: "r" });
    assert.deepEqual(
      claims.map(({ task, attempt }: Json) => [task.task_id, attempt]),
      [["a", 1]],
    );
    assert.equal((await coordinator.ok("tasks.claim.b", { session_id: "s1" })).attempt, 1);
    assert.deepEqual(await coordinator.eventsOf("b"), ["task_created", "task_claimed"]);
  });

  it("is found if it creates a task", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: refusedButMade(() => true),
    });
    assert.equal((await coordinator.ok("tasks.create.a")).task.status, "available");
    assert.equal((await coordinator.refused("tasks.create.a")).code, "already_exists");
  });

  it("is not mistaken for an equal request in the same millisecond", async () => {
    const meeting = new Meeting();
    await using coordinator = await TestCoordinator.start({
      clock: { now: () => 1_800_000_000_000 },
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            await meeting.reached();
            const outcome = await real.write(prepared, expected, writeId);
            return outcome.kind === "conflict" ? { ...outcome, isDoubtful: true } : outcome;
          },
        },
      }),
    });
    const askTwice = async (subject: string, body = {}): Promise<string[]> => {
      meeting.awaitTwo();
      const replies = await Promise.all([0, 1].map(() => coordinator.request(subject, body)));
      return replies.map(({ ok, error }) => (ok === true ? "ok" : String(error.code))).sort();
    };
    const blocked = { depends_on: ["b"] };
    assert.deepEqual(await askTwice("tasks.create.a", blocked), ["already_exists", "ok"]);
    await coordinator.ok("tasks.cancel.a");
    assert.deepEqual(await askTwice("tasks.requeue.a"), ["not_available", "ok"]);
  });

  it("leaves the task to its holder if the refusal was right", async () => {
    let isRival = true;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            const { task } = prepared;
            if (task.taskId !== "a" || task.status !== "claimed" || !isRival) {
              return real.write(prepared, expected, writeId);
            }
            isRival = false;
            const theirs = { ...task, claimedBy: "rival", claimRequest: null };
            await real.write(real.prepare(theirs), expected);
            return { kind: "conflict", isDoubtful: true };
          },
        },
      }),
    });
    for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
    const { claims } = await coordinator.ok("tasks.next", { session_id: "s1" });
    assert.deepEqual(
      claims.map(({ task }: Json) => task.task_id),
      ["b"],
    );
    assert.equal((await coordinator.ok("tasks.get.a")).task.claimed_by, "rival");
  });
});

describe("an outcome that stays unknown", () => {
  it("is answered with unavailable and not conflict, because the write may have been made", async () => {
    for (const later of ["unknown", "conflict"] as const) {
      let writes = 0;
      let isBroken = false;
      await using coordinator = await TestCoordinator.start({
        wrapStores: withFaults({
          tasks: {
            write: (real) => (prepared, expected, writeId) => {
              if (!isBroken) return real.write(prepared, expected, writeId);
              return Promise.resolve({ kind: writes++ === 0 ? "unknown" : later });
            },
          },
        }),
      });
      await coordinator.ok("tasks.create.a");
      isBroken = true;
      for (const subject of ["tasks.claim.a", "tasks.create.new", "tasks.next"]) {
        writes = 0;
        const body = subject === "tasks.create.new" ? {} : { session_id: "s1" };
        const error = await coordinator.refused(subject, body);
        assert.deepEqual([subject, error.code, error.retryable], [subject, "unavailable", true]);
        assert.ok(writes <= 10, `${writes} writes`);
      }
      isBroken = false;
      assert.equal((await coordinator.ok("tasks.claim.a", { session_id: "s1" })).attempt, 1);
    }
  });
});
