import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import type { Fact } from "../../src/service/ports.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const COUNT = 3_000;
const AT_A_TIME = 500;

describe("a task on which thousands depend", () => {
  it("makes each of them available by one event, while requests are answered", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.root");
    await coordinator.ok("tasks.create.other");
    await putDependents(coordinator);
    const ready = new Set<string>();
    await coordinator.until("tasks.stats", ({ ok, tasks, worker }) => {
      if (ok === true && tasks.blocked === COUNT) ready.add(worker.id as string);
      return ready.size === 2;
    });
    await coordinator.ok("tasks.claim.root", { session_id: "s1" });

    const since = coordinator.facts.length;
    const begun = coordinator.fact("task_written", isUnblocking);
    const released = coordinator.ok("tasks.release.root", {
      session_id: "s1",
      status: "complete",
    });
    await begun;
    assert.equal((await coordinator.ok("tasks.get.other")).task.status, "available");
    await released;
    const { tasks: counts } = await coordinator.until(
      "tasks.stats",
      ({ ok, tasks }) => ok === true && tasks.blocked === 0,
    );
    assert.equal(counts.available, COUNT + 1);

    // Both workers have seen every change by now, and any further write has been made.
    const events = coordinator.facts.slice(since).filter(isUnblocking);
    assert.equal(new Set(events.map(({ taskId }) => taskId)).size, COUNT);
    assert.equal(events.length, COUNT);
  });
});

function isUnblocking(fact: Fact): fact is Extract<Fact, { kind: "task_written" }> {
  return fact.kind === "task_written" && fact.event === "task_unblocked";
}

/** Writes the records directly: that many requests would take longer than the test itself. */
async function putDependents({ connection }: TestCoordinator): Promise<void> {
  const js = jetstream(connection);
  const record = JSON.stringify({ title: "waits", depends_on: ["root"] });
  for (let from = 0; from < COUNT; from += AT_A_TIME) {
    await Promise.all(
      Array.from({ length: AT_A_TIME }, (_, i) => js.publish(`$KV.tasks.t${from + i}`, record)),
    );
  }
}
