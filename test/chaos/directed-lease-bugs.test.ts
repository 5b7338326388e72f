/**
 * The same as planted-bugs.test.ts, for bugs of leases that random requests rarely meet. Each run causes
 * the situation in which the bug strikes. Without the bug, the same run has no problem.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { claimAfterTheEnd, grantAfterTheEnd, renewalAfterTheEnd } from "./directed-runs.ts";
import { forgottenWhileBusy, grantThatOverwrites, markerOfAnyClaim } from "./late-lease-bugs.ts";
import { assertAmong, type Bug } from "./planted-run.ts";

describe("the verdict of a directed chaos run", () => {
  for (const [situation, run] of [
    ["a lease that ends before it is granted", grantAfterTheEnd],
    ["a renewal after the end", renewalAfterTheEnd],
    ["a claim after the end", claimAfterTheEnd],
  ] as const) {
    it(`passes ${situation}`, async () => {
      assert.deepEqual((await run()).problems, []);
    });
  }

  for (const [name, plant, run, guarantee] of [
    ["a grant that overwrites", () => grantThatOverwrites, grantAfterTheEnd, "returned"],
    [
      "a reconciler that forgets what changes while it works",
      forgottenWhileBusy,
      grantAfterTheEnd,
      "returned",
    ],
    ["a marker that ends the next epoch", () => markerOfAnyClaim, renewalAfterTheEnd, "lease"],
    ["a marker that ends the next claim", () => markerOfAnyClaim, claimAfterTheEnd, "lease"],
  ] as const) {
    it(`finds ${name}`, async ({ mock }) => {
      const bug: Bug = plant(mock);
      const { problems, struck } = await run(bug);
      assert.ok(struck.size > 0, "the bug has struck no task");
      assertAmong(problems, guarantee, struck);
    });
  }
});
