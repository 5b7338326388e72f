/** The coordinator as a contender, which must keep to the limits of its workers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { programOf, startContender } from "../../bench/arena.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("the coordinator in the benchmark", () => {
  for (const scenario of ["renew", "release"] as const) {
    it(`claims no more tasks at once than a worker accepts, before a round of ${scenario}`, async () => {
      await using coordinator = await TestCoordinator.start({
        settings: { "limits.in_flight": 100 },
      });
      await using contender = await startContender(programOf("coordinator"), [
        coordinator.server.url,
      ]);
      await contender.ask("prepare", { scenario, count: 500, inFlight: 4 });
      const { done } = await contender.ask("play");
      assert.equal(done, 500);
    });
  }
});
