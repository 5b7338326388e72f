import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PullPace } from "../../src/nats/pull-pace.ts";

function newPace(): PullPace {
  return new PullPace({ busyMessages: 2, windowMs: 50, newsMs: 3, ownMs: 20 });
}

describe("the pace of a watch", () => {
  it("asks at once when there is little traffic", () => {
    const pace = newPace();
    assert.equal(pace.delay(0), 0);
    for (const now of [100, 150, 200]) {
      pace.asked(now);
      pace.delivered(now, now + 1, true);
      assert.equal(pace.delay(now + 1), 0);
    }
  });

  it("waits under load, from one request to the next", () => {
    const pace = newPace();
    pace.asked(100);
    pace.delivered(1, 101, true);
    pace.delivered(2, 101.5, false);
    assert.equal(pace.delay(101.5), 1.5);
    // The answer took longer than that.
    assert.equal(pace.delay(104), 0);
    pace.asked(104);
    pace.delivered(3, 104, true);
    assert.equal(pace.delay(104), 3);
  });

  it("remembers the load until a window without one", () => {
    const pace = newPace();
    pace.asked(100);
    pace.delivered(1, 100, true);
    pace.delivered(2, 100, true);
    pace.asked(160);
    pace.delivered(3, 160, true);
    assert.equal(pace.delay(160), 3);
    pace.asked(211);
    pace.delivered(4, 211, true);
    assert.equal(pace.delay(211), 0);
    pace.delivered(5, 212, true);
    assert.equal(pace.delay(212), 2);
    pace.asked(400);
    assert.equal(pace.delay(400), 0);
  });

  it("waits longer if the worker had written all of it", () => {
    const pace = newPace();
    pace.asked(100);
    pace.delivered(1, 101, false);
    pace.delivered(2, 101, false);
    assert.equal(pace.delay(102), 18);
  });

  it("does not wait while somebody waits for what comes next", () => {
    const pace = newPace();
    pace.asked(100);
    pace.delivered(6, 100, true);
    pace.delivered(7, 100, true);
    pace.await(7);
    assert.equal(pace.delay(100), 3);
    pace.await(9);
    assert.equal(pace.delay(100), 0);
    pace.delivered(8, 100, true);
    pace.await(3);
    assert.equal(pace.delay(100), 0);
    pace.delivered(9, 100, true);
    assert.equal(pace.delay(100), 3);
  });
});
