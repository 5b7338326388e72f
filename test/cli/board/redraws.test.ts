import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Redraws, type Timing } from "../../../src/cli/board/redraws.ts";

/** A clock that a test moves. */
class FakeTime implements Timing {
  #now = 0;
  #due: { readonly at: number; readonly callback: () => void } | null = null;

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#due = timer;
    return () => {
      if (this.#due === timer) this.#due = null;
    };
  }

  /** Lets time pass, without timers: as work does. */
  spend(ms: number): void {
    this.#now += ms;
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    while (this.#due !== null && this.#due.at <= end) {
      const { at, callback } = this.#due;
      this.#due = null;
      this.#now = Math.max(this.#now, at);
      callback();
    }
    this.#now = Math.max(this.#now, end);
  }
}

describe("the redraws of the board", () => {
  it("are at most ten a second, although each millisecond brings an event", () => {
    const time = new FakeTime();
    let count = 0;
    const redraws = new Redraws(() => count++, time);
    for (let event = 0; event < 990; event++) {
      redraws.request();
      time.pass(1);
    }
    assert.equal(count, 10);
  });

  it("happen at once after a quiet time, and then once a second", () => {
    const time = new FakeTime();
    let count = 0;
    const redraws = new Redraws(() => count++, time);
    redraws.request();
    time.pass(0);
    assert.equal(count, 1);
    time.pass(5_000);
    assert.equal(count, 6);
    time.pass(500);
    redraws.request();
    time.pass(0);
    assert.equal(count, 7);
  });

  it("leave time for other work if drawing is slow", () => {
    const time = new FakeTime();
    let count = 0;
    const slowDraw = (): void => {
      count++;
      time.spend(200);
    };
    const redraws = new Redraws(slowDraw, time);
    while (time.now() < 7_900) {
      redraws.request();
      time.pass(10);
    }
    assert.equal(count, 10);
  });

  it("end when they are stopped", () => {
    const time = new FakeTime();
    let count = 0;
    const redraws = new Redraws(() => count++, time);
    redraws.request();
    redraws.stop();
    redraws.request();
    time.pass(5_000);
    assert.equal(count, 0);
  });
});
