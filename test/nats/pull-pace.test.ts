import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PullPace } from "../../src/nats/pull-pace.ts";

function newPace(): PullPace {
  return new PullPace({ quietMs: 5, newsMs: 3, ownMs: 20 });
}

describe("the pace of a watch", () => {
  it("asks at once when there is little traffic", () => {
    const pace = newPace();
    assert.equal(pace.delay(0), 0);
    for (const now of [100, 110, 120]) {
      pace.asked(now);
      pace.delivered(now, now + 5, true);
      assert.equal(pace.delay(now + 5), 0);
    }
  });

  it("waits under load, from one request to the next", () => {
    const pace = newPace();
    pace.asked(100);
    pace.delivered(1, 101, true);
    // This message is a part of the same answer.
    pace.delivered(2, 101.5, false);
    assert.equal(pace.delay(101.5), 1.5);
    // The answer took longer than that.
    assert.equal(pace.delay(104), 0);
    pace.asked(104);
    assert.equal(pace.delay(104), 0);
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
