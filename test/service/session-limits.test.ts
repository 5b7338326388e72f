/** How large registrations may be together. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const LARGE = { metadata: { note: "x".repeat(3_000) } };

function isRefused(error: Json, limit: string, value: number): void {
  assert.deepEqual([error.code, error.limit, error.value], ["limit_reached", limit, value]);
}

describe("the registrations of one agent", () => {
  it("are bounded in bytes, and leave those of others alone", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.session_bytes_per_principal": 10_000 },
    });
    const register = (agent: string, number: number): string =>
      `agent.${agent}.sessions.register.${agent}.${number}`;
    for (let i = 0; i < 3; i++) await coordinator.ok(register("s1", i), LARGE);
    const error = await coordinator.refused(register("s1", 3), LARGE);
    isRefused(error, "limits.session_bytes_per_principal", 10_000);
    await coordinator.ok(register("s2", 0), LARGE);
    // The same registration again takes nothing more.
    await coordinator.ok(register("s1", 0), LARGE);
    await coordinator.ok(`agent.s1.sessions.unregister.s1.1`);
    await coordinator.ok(register("s1", 3), LARGE);
  });

  it("are counted while they are under way", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.session_bytes_per_principal": 10_000 },
    });
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        coordinator.request(`agent.s1.sessions.register.s1.${i}`, LARGE),
      ),
    );
    assert.equal(replies.filter(({ ok }) => ok === true).length, 3);
  });

  it("are counted by each worker, all sessions that it knows of", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.session_bytes": 10_000 },
      workers: 2,
    });
    for (const name of ["a", "b", "c"]) await coordinator.ok(`sessions.register.${name}`, LARGE);
    await coordinator.ok("sessions.list");
    for (let i = 0; i < 10; i++) {
      const error = await coordinator.refused(`sessions.register.d${i}`, LARGE);
      isRefused(error, "limits.session_bytes", 10_000);
    }
  });
});
