import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MAX_TIMER_MS, startTimer } from "../src/timers.ts";

describe("a timer", () => {
  it("calls back after its time, even if a timer of Node cannot run that long", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    for (const ms of [0, 1_000, MAX_TIMER_MS, MAX_TIMER_MS + 1, 3 * MAX_TIMER_MS]) {
      let called = 0;
      startTimer(ms, () => called++);
      for (let left = ms - 1; left > 0; left -= MAX_TIMER_MS) {
        t.mock.timers.tick(Math.min(left, MAX_TIMER_MS));
      }
      assert.equal(called, 0, `${ms} ms are not over`);
      t.mock.timers.tick(1);
      assert.equal(called, 1, `${ms} ms are over`);
    }
  });

  it("never calls back after Infinity or after it was stopped", (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const fail = (): never => assert.fail("must not call back");
    startTimer(Infinity, fail);
    const stop = startTimer(2 * MAX_TIMER_MS, fail);
    t.mock.timers.tick(MAX_TIMER_MS);
    stop();
    stop();
    for (let i = 0; i < 4; i++) t.mock.timers.tick(MAX_TIMER_MS);
  });
});
