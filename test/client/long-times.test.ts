/** Times that are too long for a timer of Node: more than 24.8 days, and Infinity. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { errorOf } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const LONG = [2 ** 31, 1e12, Infinity];

describe("a time of more than 24.8 days", () => {
  for (const deadlineMs of LONG) {
    it(`lets handlers continue when it is the deadline of stop (${deadlineMs} ms)`, async () => {
      await using coordinator = await TestCoordinator.start();
      await coordinator.ok("tasks.create.a");
      await coordinator.ok("tasks.create.b");
      await using library = await Library.connect(coordinator);
      const work = new HeldWork();
      library.coordinator.work({ session: "s1" }, work.handler);
      const begun = await work.nth(1);
      const stopped = library.coordinator.stop({ deadlineMs });
      // Longer than a timer that overflows, which ends at once.
      await coordinator.ok("tasks.next", {
        session_id: "other",
        wait_seconds: 0.2,
        prefix: "none",
      });
      assert.equal(begun.context.signal.aborted, false);
      work.finishAll();
      await stopped;
      const { task } = await coordinator.ok(`tasks.get.${begun.id}`);
      assert.equal(task.status, "complete");
    });

    it(`waits for a late answer (${deadlineMs} ms)`, async () => {
      await using coordinator = await TestCoordinator.start();
      await using library = await Library.connect(coordinator);
      const { signal } = new AbortController();
      for (const options of [{ signal }, {}]) {
        const patience = { timeoutMs: deadlineMs, deadlineMs, ...options };
        const input = { session_id: "s1", wait_seconds: 0.1 };
        assert.deepEqual((await library.coordinator.tasks.next(input, patience)).claims, []);
      }
      assert.deepEqual(library.complaints, []);
    });
  }
});

describe("an invalid time", () => {
  it("is refused with the name of the option", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator);
    const { coordinator: agent } = library;
    for (const ms of [NaN, -1]) {
      const stop = await errorOf(agent.stop({ deadlineMs: ms }), "invalid_request");
      assert.match(stop.message, /^deadlineMs: must be a number of milliseconds, at least 0$/);
      for (const name of ["timeoutMs", "deadlineMs"]) {
        const call = await errorOf(agent.tasks.stats({ [name]: ms }), "invalid_request");
        assert.match(call.message, new RegExp(`^${name}: must be a number of milliseconds`));
      }
    }
  });
});
