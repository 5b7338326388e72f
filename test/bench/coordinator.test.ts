/** The coordinator as a contender, with limits that its set-up has to keep. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ContenderProcess } from "../../bench/contender-process.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const PROGRAM = fileURLToPath(new URL("../../bench/coordinator.js", import.meta.url));

describe("the coordinator in the benchmark", () => {
  for (const scenario of ["renew", "release"] as const) {
    it(`claims before a round of ${scenario} what a worker takes at once`, async () => {
      await using coordinator = await TestCoordinator.start({
        settings: { "limits.in_flight": 100 },
      });
      await using contender = await ContenderProcess.start(PROGRAM, [coordinator.server.url]);
      const { done } = await contender.play({ scenario, count: 500, inFlight: 4 });
      assert.equal(done, 500);
    });
  }
});
