import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CheckedWorker, untilAllAnswer } from "../../scripts/lab/health.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

async function startWorkers(coordinator: TestCoordinator, count: number): Promise<CheckedWorker[]> {
  const { workerIds } = await coordinator.addWorkers(count);
  return workerIds.map((said, i) => ({ name: `w${i + 1}`, said, describe: () => "sleeps" }));
}

describe("the check that all workers answer", () => {
  it("passes when each worker has answered some requests", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const workers = await startWorkers(coordinator, 3);
    assert.deepEqual(await untilAllAnswer([coordinator.server.url], workers, 10_000), []);
  });

  it("fails when a worker is missing or has not begun to serve, and describes each of them", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const workers = await startWorkers(coordinator, 2);
    workers.push({ name: "w3", said: "worker-gone", describe: () => "is stopped" });
    workers.push({ name: "w4", said: null, describe: () => "has no process" });
    const [problem] = await untilAllAnswer([coordinator.server.url], workers, 0);
    assert.equal(problem?.what, "2 of 4 workers are there\nw3 is stopped\nw4 has no process");
  });

  it("fails when requests are refused", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 0,
      settings: { "limits.in_flight": 1, "limits.queued_per_principal": 1 },
    });
    const workers = await startWorkers(coordinator, 1);
    const [problem] = await untilAllAnswer([coordinator.server.url], workers, 0);
    assert.match(problem?.what ?? "", /^\d+ of 20 requests were not answered$/);
  });
});
