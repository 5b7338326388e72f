import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { untilAllAnswer } from "../../scripts/lab/health.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("the check that all workers answer", () => {
  it("passes when each worker has answered some requests", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    assert.deepEqual(await untilAllAnswer([coordinator.server.url], 3, 10_000), []);
  });

  it("fails when a worker is missing", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const [problem] = await untilAllAnswer([coordinator.server.url], 3, 0);
    assert.equal(problem?.what, "2 of 3 workers are there");
  });

  it("fails when requests are refused", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.in_flight": 1 } });
    const [problem] = await untilAllAnswer([coordinator.server.url], 1, 0);
    assert.match(problem?.what ?? "", /^\d+ of 20 requests were not answered$/);
  });
});
