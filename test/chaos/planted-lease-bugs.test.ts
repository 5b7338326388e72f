/** The same as planted-bugs.test.ts, for bugs of leases that strike more seldom. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Stores } from "../../src/service/ports.ts";
import {
  forgetWhileBusy,
  lateReclaims,
  leaseNeverWritten,
  reclaimWithoutEpoch,
  slowLeases,
} from "./lease-bugs.ts";
import { assertFound, DURATION_MS, problemsWith } from "./planted-run.ts";

describe("the verdict of a chaos run on leases", () => {
  it("passes workers that are slow", async () => {
    const wrapStores = (stores: Stores): Stores => lateReclaims(slowLeases(stores));
    assert.deepEqual(await problemsWith(wrapStores, delay(DURATION_MS)), []);
  });

  it("finds a reclaim without the check of the epoch", async () => {
    await assertFound("lease", reclaimWithoutEpoch, { enough: 2 });
  });

  it("finds a lease that is never written", async () => {
    await assertFound("returned", leaseNeverWritten);
  });

  it("finds a worker that forgets what happens while it is busy", async (test) => {
    await assertFound(
      "returned",
      (struck) => {
        forgetWhileBusy(test, struck);
        return slowLeases;
      },
      { workers: 1 },
    );
  });
});
