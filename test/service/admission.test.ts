import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { Admission } from "../../src/service/admission.ts";
import type { ServiceSettings } from "../../src/service/service-settings.ts";

class FakeClock {
  time = 0;
  now = (): number => Date.now();
  steady = (): number => this.time;
  random = (): number => 0;
}

const ALICE = { role: "agent", name: "alice" } as const;
const BOB = { role: "agent", name: "bob" } as const;
const OPERATOR = { role: "operator", name: "ann" } as const;

function admission(
  limits: { readonly maxInFlight?: number; readonly requestsPerSecond?: number },
  clock = new FakeClock(),
  waiting: () => number = () => 0,
): Admission {
  const settings: ServiceSettings = {
    workerId: "worker-1",
    version: "0.0.0",
    defaultTtlSeconds: 300,
    sessionTtlSeconds: 300,
    maxRecordBytes: 65_536,
    maxReplyBytes: Infinity,
    retentionSeconds: 0,
    retryBaseMs: 0,
    retryMaxMs: 0,
    maxFailures: 3,
    maxLostLeases: 10,
    maxInFlight: 1_000,
    maxWaiting: 1_000,
    maxWaitingPerPrincipal: 1_000,
    maxWaitingPerSession: 1_000,
    maxFiltersPerPrincipal: 1_000,
    maxFilterBytes: 1_000,
    requestsPerSecond: 0,
    principalsOnly: false,
    leaseGraceMs: 1_000,
    disconnectGraceMs: 0,
    outageGraceMs: 0,
    ...limits,
  };
  return new Admission(settings, clock, waiting);
}

function admitted(entered: ReturnType<Admission["enter"]>): () => void {
  if (entered instanceof CoordinatorError) assert.fail(entered.message);
  return entered;
}

function refused(entered: ReturnType<Admission["enter"]>): CoordinatorError {
  if (!(entered instanceof CoordinatorError)) assert.fail("was let in");
  assert.deepEqual([entered.code, entered.retryable], ["overloaded", true]);
  return entered;
}

describe("the limit on requests in flight", () => {
  it("admits at most that many requests at a time", () => {
    const gate = admission({ maxInFlight: 2 });
    const leave = admitted(gate.enter(null));
    admitted(gate.enter(ALICE));
    assert.match(refused(gate.enter(null)).message, /2 requests in flight: ask again/);
    leave();
    assert.equal(gate.inFlight, 1);
    admitted(gate.enter(null));
  });

  it("does not count parked requests", () => {
    const waiting = { count: 0 };
    const gate = admission({ maxInFlight: 1 }, new FakeClock(), () => waiting.count);
    admitted(gate.enter(null));
    refused(gate.enter(null));
    waiting.count = 1;
    assert.equal(gate.inFlight, 0);
    admitted(gate.enter(null));
    waiting.count = 0;
    refused(gate.enter(null));
  });
});

describe("the rate limit", () => {
  it("counts the requests of each principal separately", () => {
    const gate = admission({ requestsPerSecond: 2 });
    for (const principal of [ALICE, BOB, ALICE, BOB]) {
      admitted(gate.enter(principal));
    }
    assert.match(refused(gate.enter(ALICE)).message, /^alice sends more than 2 requests/);
    refused(gate.enter(BOB));
  });

  it("refills with time, up to the requests of one second", () => {
    const clock = new FakeClock();
    const gate = admission({ requestsPerSecond: 4 }, clock);
    const inARow = (): number => {
      let count = 0;
      while (!(gate.enter(ALICE) instanceof CoordinatorError)) count++;
      return count;
    };
    assert.equal(inARow(), 4);
    clock.time += 500;
    assert.equal(inARow(), 2);
    clock.time += 60_000;
    assert.equal(inARow(), 4);
  });

  it("does not limit operators or requests without a principal, and limits none when it is 0", () => {
    const gate = admission({ requestsPerSecond: 1 });
    const unlimited = admission({ requestsPerSecond: 0 });
    for (let i = 0; i < 5; i++) {
      admitted(gate.enter(null));
      admitted(gate.enter(OPERATOR));
      admitted(unlimited.enter(ALICE));
    }
  });

  it("does not count a refused request as in flight", () => {
    const gate = admission({ requestsPerSecond: 1 });
    admitted(gate.enter(ALICE));
    refused(gate.enter(ALICE));
    assert.equal(gate.inFlight, 1);
  });
});
