import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_LIMITS, formatLimits, parseLimits } from "../../src/auth/limits.ts";

describe("the limits of an account", () => {
  it("are read as they are written", () => {
    for (const limits of [DEFAULT_LIMITS, { connections: 1, subscriptions: 2, payload: 1_023 }]) {
      for (const own of [{}, { claims: 5, bytes: 1_048_576, lease_seconds: 60 }]) {
        assert.deepEqual(parseLimits(formatLimits(limits, own)), { account: limits, own });
      }
    }
  });

  it("have their defaults if they are not named", () => {
    assert.deepEqual(parseLimits("payload=1MiB,bytes=2GiB"), {
      account: { ...DEFAULT_LIMITS, payload: 1_048_576 },
      own: { bytes: 2_147_483_648 },
    });
    assert.deepEqual(parseLimits("connections=5, subscriptions=7"), {
      account: { ...DEFAULT_LIMITS, connections: 5, subscriptions: 7 },
      own: {},
    });
  });

  for (const text of [
    "",
    "connections",
    "connections=0",
    "connections=1KiB",
    "payload=-1",
    "speed=3",
    "claims=1KiB",
    "lease_seconds=0",
  ]) {
    it(`are refused with the form that is right: "${text}"`, () => {
      const problem = parseLimits(text);
      assert.ok(typeof problem === "string");
      assert.match(problem, /write connections=|must be from 1|lease_seconds: /);
    });
  }
});
