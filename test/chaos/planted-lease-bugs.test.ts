/** The same as planted-bugs.test.ts, for bugs of leases that are written later. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Stores } from "../../src/service/ports.ts";
import { lateReclaims, leaseNeverWritten, slowLeases } from "./lease-bugs.ts";
import { assertFound, DURATION_MS, problemsWith } from "./planted-run.ts";

describe("the verdict of a chaos run on leases", () => {
  it("passes workers that are slow", async () => {
    const wrapStores = (stores: Stores): Stores => lateReclaims(slowLeases(stores));
    assert.deepEqual(await problemsWith(wrapStores, delay(DURATION_MS)), []);
  });

  it("finds a lease that is never written", async () => {
    await assertFound("returned", leaseNeverWritten);
  });
});
