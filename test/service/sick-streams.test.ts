/** A stream that does not answer must not hold up what needs only the others. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withFaults } from "../support/faulty-stores.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** More than a worker begins at once. */
const CLAIMS = 70;

describe("a stream of leases that does not answer", () => {
  it("does not hold up tasks that wait for dependencies", async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    let held = 0;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        leases: {
          write: (real) => async (lease, expected) => {
            held++;
            await answered;
            return real.write(lease, expected);
          },
        },
      }),
    });
    const ids = Array.from({ length: CLAIMS }, (_, i) => `t${i}`);
    await coordinator.ok("tasks.import", {
      tasks: [...ids, "first", "second"].map((task_id) => ({
        task_id,
        depends_on: task_id === "second" ? ["first"] : [],
      })),
    });
    // Leases as short as these are written at once.
    const claim = { session_id: "s1", ttl_seconds: 5 };
    for (const id of [...ids, "first"]) await coordinator.ok(`tasks.claim.${id}`, claim);
    await coordinator.ok("tasks.release.first", { session_id: "s1", status: "complete" });
    try {
      await coordinator.until("tasks.get.second", ({ task }) => task.status === "available");
      assert.ok(held < CLAIMS, `${held} writes at once`);
    } finally {
      answer();
    }
    await coordinator.until("tasks.stats", ({ leases }) => leases === CLAIMS);
  });
});
