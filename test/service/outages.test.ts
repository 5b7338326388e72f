/** Outages: what becomes of claims whose lease ran out in one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Fact } from "../../src/service/ports.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { leaseMarker } from "../support/stored-leases.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Timers of different processes are not exact. */
const TOLERANCE_MS = 50;

/** Creates the tasks and claims each for a session of its own; resolves when the claims have leases. */
async function claimAll(
  coordinator: TestCoordinator,
  ids: readonly string[],
  { ttlSeconds, workers }: { readonly ttlSeconds: number; readonly workers: number },
): Promise<void> {
  await coordinator.ok("tasks.import", { tasks: ids.map((task_id) => ({ task_id })) });
  const granted = ids.map((id) => coordinator.fact("lease_granted", ({ taskId }) => taskId === id));
  for (const id of ids) {
    const { session_id } = holderOf(id);
    await coordinator.ok(`tasks.claim.${id}`, { session_id, ttl_seconds: ttlSeconds });
  }
  await Promise.all(granted);
  // Leases that a worker has not seen alive are tested elsewhere.
  const seeing = new Set<string>();
  await coordinator.until("tasks.stats", ({ leases, worker }) => {
    if (leases === ids.length) seeing.add(worker.id as string);
    return seeing.size === workers;
  });
}

function holderOf(id: string): { session_id: string; attempt: number } {
  return { session_id: `holder-of-${id}`, attempt: 1 };
}

/** Repeats the request until the answer is not retryable, as every client must. */
async function untilAnswered(
  coordinator: TestCoordinator,
  subject: string,
  body: object,
): Promise<Json> {
  for (;;) {
    try {
      const reply = await coordinator.request(subject, body, 2_000);
      if (reply.ok || !reply.error.retryable) return reply;
    } catch {
      // No answer: the server is down, and the request may have been lost with it.
    }
    await delay(20);
  }
}

async function eventsOf(coordinator: TestCoordinator, id: string): Promise<string[]> {
  const { entries } = await untilAnswered(coordinator, `tasks.history.${id}`, {});
  return entries.map((entry: Json) => entry.task.last_event.type);
}

/** The time when the next fact of this kind comes. */
async function timeOf<K extends Fact["kind"]>(
  coordinator: TestCoordinator,
  kind: K,
  fits?: (fact: Extract<Fact, { kind: K }>) => boolean,
): Promise<number> {
  await coordinator.fact(kind, fits);
  return performance.now();
}

describe("a server that is gone for longer than the leases last", () => {
  it("costs no claim that is renewed within the grace period, and other claims only after it", async () => {
    const settings = { outage_grace_seconds: 3 };
    await using coordinator = await TestCoordinator.start({ workers: 2, settings });
    const kept = ["k1", "k2", "k3", "k4", "k5"];
    const left = ["l1", "l2", "l3"];
    await claimAll(coordinator, [...kept, ...left], { ttlSeconds: 2, workers: 2 });
    const graceBegan = timeOf(coordinator, "outage_grace");
    const reclaimed = left.map((id) =>
      timeOf(coordinator, "lease_expired", ({ taskId }) => taskId === id),
    );
    // Until the server has noticed the expiry, a renewal is like any other.
    const ended = kept.map((id) => coordinator.fact("lease_spared", (fact) => fact.taskId === id));
    await coordinator.server.kill();
    // While there is no server, no signal shows that time goes by.
    await delay(3_000);
    await coordinator.server.restart();
    await Promise.all(ended);

    const since = coordinator.facts.length;
    const renewals = kept.map((id) =>
      untilAnswered(coordinator, `tasks.renew.${id}`, { ...holderOf(id), ttl_seconds: 60 }),
    );
    for (const renewed of await Promise.all(renewals)) {
      assert.deepEqual([renewed.ok, renewed.attempt], [true, 1]);
    }
    const began = await graceBegan;
    for (const at of await Promise.all(reclaimed)) {
      assert.ok(at - began >= 3_000 - TOLERANCE_MS, `${Math.round(at - began)} ms`);
    }
    for (const id of kept) {
      assert.deepEqual(await eventsOf(coordinator, id), [
        ...["task_created", "task_claimed", "task_renewed"],
      ]);
      const { holds } = await untilAnswered(coordinator, `tasks.verify.${id}`, holderOf(id));
      assert.equal(holds, true);
    }
    for (const id of left) {
      const events = ["task_created", "task_claimed", "task_expired"];
      assert.deepEqual(await eventsOf(coordinator, id), events);
      const late = await untilAnswered(coordinator, `tasks.renew.${id}`, holderOf(id));
      assert.equal(late.error.code, "lease_lost");
    }
    const facts = coordinator.facts.slice(since);
    assert.equal(facts.filter(({ kind }) => kind === "lease_expired").length, left.length);
  });

  it("costs the claims at once without a grace period", async () => {
    const settings = { outage_grace_seconds: 0 };
    await using coordinator = await TestCoordinator.start({ workers: 2, settings });
    await claimAll(coordinator, ["a"], { ttlSeconds: 1, workers: 2 });
    const expired = coordinator.fact("lease_expired");
    await coordinator.server.kill();
    await delay(1_500);
    await coordinator.server.restart();
    await expired;
    const events = ["task_created", "task_claimed", "task_expired"];
    assert.deepEqual(await eventsOf(coordinator, "a"), events);
    assert.ok(!coordinator.facts.some(({ kind }) => kind === "outage_grace"));
  });
});

describe("a worker that has lost its connection for a while", () => {
  it("spares claims whose lease ran out meanwhile, but a worker that stayed connected takes them back", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const { server } = coordinator;
    await using proxy = await NatsProxy.start(server.port);
    const blind = { settings: { "nats.servers": [proxy.url], outage_grace_seconds: 60 } };
    await coordinator.addWorkers(1, blind);
    await claimAll(coordinator, ["alone", "together"], { ttlSeconds: 2, workers: 1 });
    const ended = coordinator.fact("outage_grace");
    proxy.cut();
    await coordinator.fact("connection", ({ state }) => state === "disconnected");
    await leaseMarker(coordinator.connection, "alone");
    await leaseMarker(coordinator.connection, "together");
    proxy.mend();
    assert.deepEqual(await ended, { kind: "outage_grace", seconds: 60, spared: 2 });

    // The other worker saw no outage, so it takes back every claim whose lease it sees run out.
    await coordinator.addWorkers(1);
    await untilAnswered(coordinator, "tasks.renew.alone", {
      ...holderOf("alone"),
      ttl_seconds: 60,
    });
    const expired = coordinator.fact("lease_expired", ({ taskId }) => taskId === "together");
    await untilAnswered(coordinator, "tasks.renew.together", {
      ...holderOf("together"),
      ttl_seconds: 1,
    });
    await expired;
    const events = ["task_created", "task_claimed", "task_renewed"];
    assert.deepEqual(await eventsOf(coordinator, "alone"), events);
    assert.deepEqual(await eventsOf(coordinator, "together"), [...events, "task_expired"]);
  });

  it("does not keep another worker from taking back claims whose lease that worker saw run out", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1 });
    await using proxy = await NatsProxy.start(coordinator.server.port);
    const settings = { "nats.servers": [proxy.url], outage_grace_seconds: 60 };
    await coordinator.addWorkers(1, { settings });
    const expired = coordinator.fact("lease_expired");
    await claimAll(coordinator, ["a"], { ttlSeconds: 1, workers: 2 });
    proxy.cut();
    await expired;
    assert.equal((await untilAnswered(coordinator, "tasks.get.a", {})).task.status, "available");
    const grace = coordinator.fact("outage_grace");
    proxy.mend();
    await grace;
  });
});
