import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { AdmissionGate, settle } from "../support/admission-gate.ts";

describe("the limit on requests in flight", () => {
  it("lets other requests wait until one is over", async () => {
    const gate = new AdmissionGate({ maxInFlight: 2 });
    gate.arrivals("alice", 3);
    await settle();
    assert.deepEqual(gate.served, ["alice 1", "alice 2"]);
    assert.deepEqual([gate.admission.inFlight, gate.admission.waiting], [2, 1]);
    gate.finish("alice 1");
    await settle();
    assert.deepEqual(gate.served, ["alice 1", "alice 2", "alice 3"]);
    assert.equal(gate.refused.size, 0);
  });

  it("holds for each sender, so that one leaves room for the others", async () => {
    const gate = new AdmissionGate({ maxInFlight: 10, maxInFlightPerPrincipal: 2 });
    gate.arrivals("alice", 5);
    gate.arrivals("bob", 1);
    await settle();
    assert.deepEqual([gate.count("alice"), gate.count("bob")], [2, 1]);
    gate.finish("alice 2");
    await settle();
    assert.equal(gate.count("alice"), 3);
  });

  it("does not count a request while it is parked", async () => {
    const gate = new AdmissionGate({ maxInFlight: 1, maxInFlightPerPrincipal: 1 });
    gate.arrivals("alice", 2);
    await settle();
    assert.deepEqual(gate.served, ["alice 1"]);
    gate.place("alice 1").park();
    assert.equal(gate.admission.inFlight, 0);
    await settle();
    assert.deepEqual(gate.served, ["alice 1", "alice 2"]);
    gate.place("alice 1").resume();
    gate.arrive("bob");
    gate.finish("alice 2");
    await settle();
    assert.equal(gate.count("bob"), 0);
    gate.finish("alice 1");
    await settle();
    assert.deepEqual([gate.count("bob"), gate.admission.inFlight], [1, 1]);
  });
});

describe("the order of requests", () => {
  it("lets a single request pass those of a sender that has many", async () => {
    const gate = new AdmissionGate();
    gate.arrivals("alice", 500, { ms: 1 });
    gate.arrive("bob");
    await settle();
    const place = gate.served.indexOf("bob 1");
    assert.ok(place >= 0 && place <= 1, `it was number ${place + 1}`);
    assert.ok(gate.count("alice") > 100);
  });

  it("gives senders the same time, not the same number of requests", async () => {
    const gate = new AdmissionGate();
    gate.arrivals("alice", 60, { ms: 10 });
    gate.arrivals("bob", 300, { ms: 1 });
    await settle();
    const last = gate.served.findLastIndex((name) => name.startsWith("bob "));
    const until = gate.served.slice(0, last + 1);
    const alice = until.filter((name) => name.startsWith("alice ")).length;
    // In the time of 300 short requests of bob, alice gets about 30 long ones.
    assert.ok(alice >= 20 && alice <= 40, `${alice} requests of alice`);
  });

  it("keeps the order of the requests of one sender", async () => {
    const gate = new AdmissionGate();
    gate.arrivals("alice", 100, { ms: 1 });
    await settle();
    assert.deepEqual(
      gate.served,
      Array.from(gate.served, (_, i) => `alice ${i + 1}`),
    );
  });

  it("lets nobody save up time by being idle", async () => {
    const gate = new AdmissionGate();
    gate.arrive("bob");
    gate.arrivals("alice", 400, { ms: 1 });
    await settle();
    const before = gate.count("alice");
    gate.arrivals("alice", 100, { ms: 1 });
    gate.arrivals("bob", 100, { ms: 1 });
    await settle();
    const [alice, bob] = [gate.count("alice") - before, gate.count("bob") - 1];
    assert.ok(Math.abs(alice - bob) <= 10, `alice got ${alice}, bob ${bob}`);
  });

  it("hands back to the event loop after some milliseconds", async () => {
    const gate = new AdmissionGate();
    gate.arrivals("alice", 100, { ms: 1 });
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
    assert.ok(gate.served.length >= 1 && gate.served.length <= 10, `${gate.served.length}`);
    await settle();
    assert.equal(gate.served.length, 100);
  });
});

describe("the queue of a sender", () => {
  it("has room for a limited number of requests, independent of the others", async () => {
    const gate = new AdmissionGate({ maxInFlight: 1, maxQueuedPerPrincipal: 3 });
    gate.arrivals("agent.alice", 6);
    gate.arrivals("bob", 2);
    await settle();
    assert.deepEqual([...gate.refused.keys()], ["agent.alice 4", "agent.alice 5", "agent.alice 6"]);
    assert.match(
      gate.refusal("agent.alice 4").message,
      /^agent\.alice has 3 requests waiting .*limits\.queued_per_principal/,
    );
    gate.arrivals("bob", 5);
    assert.match(gate.refusal("bob 5").message, /^your connection has 3 requests waiting/);
  });

  it("has room for a limited number of bytes, but for one request of any size", async () => {
    const gate = new AdmissionGate({ maxInFlight: 1 });
    gate.arrivals("alice", 40, { bytes: 1_000_000 });
    gate.arrive("bob", { bytes: 1_000_000 });
    await settle();
    assert.ok(gate.refused.size >= 20 && gate.refused.size < 30, `${gate.refused.size} refused`);
    gate.arrive("carol", { bytes: 20_000_000 });
    assert.equal(gate.refused.has("bob 1") || gate.refused.has("carol 1"), false);
  });

  it("refuses a request that has waited for two seconds", async () => {
    const gate = new AdmissionGate({ maxInFlight: 1 });
    gate.arrivals("alice", 2);
    await settle();
    gate.time += 2_001;
    gate.arrive("bob");
    gate.finish("alice 1");
    await settle();
    gate.finish("bob 1");
    await settle();
    assert.match(gate.refusal("alice 2").message, /busy/);
    assert.deepEqual(gate.served, ["alice 1", "bob 1"]);
  });
});

describe("the rate limit", () => {
  it("counts the requests of each sender separately", () => {
    const gate = new AdmissionGate({ requestsPerSecond: 2 });
    for (const sender of ["agent.alice", "bob", "agent.alice", "bob"]) gate.arrive(sender);
    assert.equal(gate.refused.size, 0);
    gate.arrive("agent.alice");
    gate.arrive("bob");
    assert.match(
      gate.refusal("agent.alice 3").message,
      /^agent\.alice sends more than 2 requests a second \(limits\.requests_per_second\)/,
    );
    gate.refusal("bob 3");
  });

  it("refills with time, up to the requests of one second", () => {
    const gate = new AdmissionGate({ requestsPerSecond: 4 });
    const inARow = (): number => {
      const before = gate.refused.size;
      for (let count = 0; ; count++) {
        gate.arrive("alice");
        if (gate.refused.size > before) return count;
      }
    };
    assert.equal(inARow(), 4);
    gate.time += 500;
    assert.equal(inARow(), 2);
    gate.time += 60_000;
    assert.equal(inARow(), 4);
  });

  it("limits the bytes as well, but takes a single request of any size", () => {
    const gate = new AdmissionGate({ requestBytesPerSecond: 1_000 });
    gate.arrivals("agent.alice", 3, { bytes: 400 });
    assert.match(
      gate.refusal("agent.alice 3").message,
      /^agent\.alice sends requests of more than 1000 bytes a second \(limits\.request_bytes_per_second\)/,
    );
    gate.time += 1_000;
    gate.arrive("agent.alice", { bytes: 5_000 });
    assert.equal(gate.refused.has("agent.alice 4"), false);
    gate.time += 1_000;
    gate.arrive("agent.alice", { bytes: 400 });
    gate.refusal("agent.alice 5");
  });

  it("does not limit operators, and limits nobody when it is 0", () => {
    const limited = new AdmissionGate({ requestsPerSecond: 1 });
    limited.arrivals("operator.ann", 1_000);
    const unlimited = new AdmissionGate({ requestsPerSecond: 0 });
    unlimited.arrivals("alice", 1_000);
    assert.deepEqual([limited.refused.size, unlimited.refused.size], [0, 0]);
  });
});

describe("a principal with limits of its own", () => {
  it("has those instead of the configured ones", async () => {
    const own = { "agent.alice": { requests_per_second: 5, in_flight: 3 } };
    const gate = new AdmissionGate({ requestsPerSecond: 2, maxInFlightPerPrincipal: 1 }, own);
    gate.arrivals("agent.alice", 6);
    gate.arrivals("agent.bob", 3);
    await settle();
    assert.deepEqual([...gate.refused.keys()], ["agent.alice 6", "agent.bob 3"]);
    assert.match(gate.refusal("agent.alice 6").message, /more than 5 requests a second/);
    assert.deepEqual([gate.count("agent.alice"), gate.count("agent.bob")], [3, 1]);
  });
});

describe("a sender that goes on after many refusals", () => {
  it("gets no further answers in that second, and the others get theirs", () => {
    const gate = new AdmissionGate({ requestsPerSecond: 10 });
    gate.arrivals("alice", 10_000);
    assert.deepEqual([gate.refused.size, gate.dropped.length], [500, 9_490]);
    gate.arrivals("bob", 11);
    gate.refusal("bob 11");
    assert.deepEqual([gate.admission.isShut("alice"), gate.admission.isShut("bob")], [true, false]);
    gate.time += 1_000;
    assert.equal(gate.admission.isShut("alice"), false);
    gate.arrivals("alice", 20);
    assert.equal(gate.refused.size, 511);
  });
});

describe("what is kept of senders", () => {
  it("stays bounded when each request comes from another one", async () => {
    const gate = new AdmissionGate({ maxInFlight: 100_000 });
    for (let i = 0; i < 60_000; i++) {
      gate.arrive(`sender-${i}`);
      if (i % 1_000 !== 999) continue;
      await turn();
      for (let j = i - 999; j <= i; j++) gate.finish(`sender-${j} 1`);
      await turn();
      gate.time += 1_100;
    }
    assert.equal(gate.served.length, 60_000);
    assert.ok(gate.admission.senders < 5_000, `${gate.admission.senders} senders are known`);
  });
});
