/** What holds for a lease under any sequence of commands: its end and its revival exclude each other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Command } from "../../src/task/commands.ts";
import { transition } from "../../src/task/transition.ts";
import { holds, run } from "./random-commands.ts";

describe("after any sequence of commands", () => {
  holds("only a revival raises the epoch of a lease, by one", ({ before, command }, after) => {
    if (command.type === "revive") assert.equal(after.leaseEpoch, before.leaseEpoch + 1);
    else if (after.status === "claimed" && after.attempt === before.attempt) {
      assert.equal(after.leaseEpoch, before.leaseEpoch);
    } else assert.equal(after.leaseEpoch, 0);
  });

  holds("a revival changes nothing but the lease", ({ before, command }, after) => {
    if (command.type !== "revive") return;
    const { ttlSeconds, leaseEpoch, updatedAt, lastEvent } = after;
    assert.deepEqual(after, { ...before, ttlSeconds, leaseEpoch, updatedAt, lastEvent });
  });

  it("the end and the revival of one lease exclude each other: only the first changes anything", () => {
    fc.assert(
      fc.property(run, (steps) => {
        for (const { before, context } of steps) {
          if (before.claimedBy === null) continue;
          const { attempt, leaseEpoch: epoch, claimedBy: sessionId } = before;
          const end: Command = { type: "expire", attempt, epoch };
          const revival: Command = { type: "revive", sessionId, attempt, epoch, ttlSeconds: 60 };
          for (const [first, second] of [
            [end, revival],
            [revival, end],
          ] as const) {
            const written = transition(before, first, context);
            assert.ok(written.kind === "write", first.type);
            assert.notEqual(transition(written.task, second, context).kind, "write");
          }
        }
      }),
    );
  });

  it("leases end and are revived, some more than once, so the other tests cover both", () => {
    const ended = fc.sample(run, { numRuns: 1_000, seed: 1 }).flatMap((steps) =>
      steps.flatMap(({ before, command, decision }) => {
        return decision.kind === "write" ? [`${command.type} at ${before.leaseEpoch}`] : [];
      }),
    );
    for (const wanted of ["expire at 0", "expire at 1", "revive at 0", "revive at 1"]) {
      assert.ok(ended.includes(wanted), wanted);
    }
  });
});
