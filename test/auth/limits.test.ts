import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_LIMITS, formatLimits, parseLimits } from "../../src/auth/limits.ts";

describe("the limits of an account", () => {
  it("are read as they are written", () => {
    for (const limits of [DEFAULT_LIMITS, { connections: 1, subscriptions: 2, payload: 1_023 }]) {
      assert.deepEqual(parseLimits(formatLimits(limits)), limits);
    }
  });

  it("have their defaults if they are not named", () => {
    assert.deepEqual(parseLimits("payload=1MiB"), { ...DEFAULT_LIMITS, payload: 1_048_576 });
    assert.deepEqual(parseLimits("connections=5, subscriptions=7"), {
      ...DEFAULT_LIMITS,
      connections: 5,
      subscriptions: 7,
    });
  });

  for (const text of [
    "",
    "connections",
    "connections=0",
    "connections=1KiB",
    "payload=-1",
    "speed=3",
  ]) {
    it(`are refused with the form that is right: "${text}"`, () => {
      const problem = parseLimits(text);
      assert.ok(typeof problem === "string");
      assert.match(problem, /write connections=|must be from 1/);
    });
  }
});
