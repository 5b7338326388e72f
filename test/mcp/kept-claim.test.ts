/** The claim of a cancelled call: how long it waits for the next call. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import type { HeldClaim } from "../../src/mcp/held-claim.ts";
import { KeptClaim } from "../../src/mcp/kept-claim.ts";

const MINUTE_MS = 60_000;

/** A claim that notes when it is released. */
class NotedClaim {
  isKnown = false;
  releases = 0;
  readonly claim = {
    isOver: false,
    task: { task_id: "P0.1", tags: ["api"] },
    release: (): Promise<void> => {
      this.releases++;
      return Promise.resolve();
    },
  };

  /** Keeps it, lets the time pass, and says how often the task went back. */
  keptFor(milliseconds: number, meanwhile: (kept: KeptClaim) => void = () => undefined): number {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const kept = new KeptClaim(this as unknown as HeldClaim, () => undefined);
      meanwhile(kept);
      mock.timers.tick(milliseconds);
      return this.releases;
    } finally {
      mock.timers.reset();
    }
  }
}

describe("the claim of a cancelled call", () => {
  it("goes back to the pool after a minute, and not before", () => {
    assert.equal(new NotedClaim().keptFor(MINUTE_MS - 1), 0);
    assert.equal(new NotedClaim().keptFor(MINUTE_MS), 1);
  });

  it("stays if a call has got it meanwhile, or if it has ended", () => {
    const known = new NotedClaim();
    const makeKnown = (): void => {
      known.isKnown = true;
    };
    assert.equal(known.keptFor(MINUTE_MS, makeKnown), 0);
    assert.equal(
      new NotedClaim().keptFor(MINUTE_MS, (kept) => {
        kept.stop();
      }),
      0,
    );
    const over = new NotedClaim();
    over.claim.isOver = true;
    assert.equal(over.keptFor(MINUTE_MS), 0);
  });

  it("is for a call that wants such a task", () => {
    new NotedClaim().keptFor(0, (kept) => {
      assert.ok(kept.isValid);
      assert.ok(kept.fits({ tags: ["api"], prefix: "P0." }));
      assert.equal(kept.fits({ tags: ["docs"] }), false);
      assert.equal(kept.fits({ prefix: "P1." }), false);
      kept.stop();
    });
  });
});
