/** A principal can have limits of its own, by its entry in the bucket `principals`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("the rate of a principal", () => {
  it("is its own if it has one", async () => {
    // Time stands still, so a used limit does not refill.
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.requests_per_second": 3 },
      clock: { steady: () => 0 },
    });
    const bucket = await new Kvm(coordinator.connection).open("principals");
    await bucket.put("agent.alice", '{"limits": {"requests_per_second": 5}}');
    // The worker reports this entry after it has taken in the one before it.
    const seen = coordinator.fact("warning");
    await bucket.put("agent.end", "not JSON");
    await seen;
    for (const [name, rate] of [
      ["alice", 5],
      ["bob", 3],
    ] as const) {
      for (let i = 0; i < rate; i++) await coordinator.ok(`agent.${name}.tasks.stats`);
      const { code, message } = await coordinator.refused(`agent.${name}.tasks.stats`);
      assert.equal(code, "overloaded");
      assert.match(message, new RegExp(`^agent\\.${name} sends more than ${rate} requests`));
    }
  });
});
