import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import type { LeaseListener } from "../../src/client/lease-renewal.ts";
import { SessionLeases } from "../../src/client/session-leases.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import type { Requester } from "../../src/nats/request.ts";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { next } from "../support/next-requests.ts";
import { NotedLog, refusal } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** A request that the test answers. */
interface Asked {
  readonly subject: string;
  readonly body: Json;
  readonly answer: (reply: object) => void;
}

/** Takes the place of the coordinator and the network. */
class Script implements Requester {
  readonly maxPayload = 1_000_000;
  readonly #asked: Asked[] = [];
  #came: () => void = () => undefined;

  request(subject: string, text: string): Promise<string> {
    return new Promise((resolve) => {
      const answer = (reply: object): void => {
        resolve(JSON.stringify({ ok: true, ...reply }));
      };
      this.#asked.push({ subject, body: JSON.parse(text), answer });
      this.#came();
    });
  }

  get count(): number {
    return this.#asked.length;
  }

  async nth(count: number): Promise<Asked> {
    for (;;) {
      const asked = this.#asked[count - 1];
      if (asked !== undefined) return asked;
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
  }
}

const SESSION = { sessionId: "s1", instance: "i1", capabilities: ["gpu"], metadata: {} };
const NOTHING = { claims: [], unnamed: [], lost: [], cancelled: [] };

function held(attempt: number): object {
  const lease = { ttl_seconds: 1, expires_at: "" };
  return { task_id: "a", attempt, lease, cancel_requested: false };
}

describe("the leases of a session", () => {
  let leases: SessionLeases | undefined;
  afterEach(() => leases?.stop());

  function scripted(): { script: Script; told: string[]; log: NotedLog; leases: SessionLeases } {
    const script = new Script();
    const told: string[] = [];
    const log = new NotedLog();
    const listener: LeaseListener = {
      lost: (taskId, attempt) => told.push(`lost ${taskId} ${attempt}`),
      cancelled: (taskId, attempt) => told.push(`cancelled ${taskId} ${attempt}`),
      replaced: ({ code }) => told.push(code),
    };
    leases = new SessionLeases(new TaskClient(script), SESSION, listener, log);
    return { script, told, log, leases };
  }

  it("are renewed every third of the TTL, also while a heartbeat is not answered", async () => {
    const { script, told, leases } = scripted();
    const began = performance.now();
    leases.keep({ taskId: "a", attempt: 1, ttlSeconds: 1, isOld: false });
    const silent = await script.nth(1);
    assert.equal(silent.subject, "sessions.heartbeat.s1");
    assert.deepEqual(silent.body, { instance: "i1", claims: [{ task_id: "a", attempt: 1 }] });
    // Every second answer is enough, because each counts from the time of its request.
    for (let count = 2; count <= 7; count++) {
      const beat = await script.nth(count);
      if (count % 2 === 0) beat.answer({ ...NOTHING, claims: [held(1)] });
    }
    assert.deepEqual(told, []);
    const each = (performance.now() - began) / 7;
    assert.ok(each > 250, `a heartbeat each ${each} ms`);
  });

  it("are lost when no heartbeat is answered within the TTL", async () => {
    const { script, told, leases } = scripted();
    leases.keep({ taskId: "a", attempt: 1, ttlSeconds: 1, isOld: false });
    const first = await script.nth(1);
    await script.nth(2);
    assert.deepEqual(told, []);
    await script.nth(3);
    assert.deepEqual(told, ["lost a 1"]);
    // A late answer does not revive the claim. It says that the task must be given back.
    first.answer({ ...NOTHING, claims: [held(1)] });
    const release = await script.nth(4);
    assert.equal(release.subject, "tasks.release.a");
    assert.deepEqual(release.body, {
      session_id: "s1",
      instance: "i1",
      attempt: 1,
      status: "available",
    });
  });

  it("report the losses and cancellations of the answer", async () => {
    const { script, told, leases } = scripted();
    for (const taskId of ["a", "b", "c"]) {
      leases.keep({ taskId, attempt: 7, ttlSeconds: 60, isOld: true });
    }
    (await script.nth(1)).answer({ ...NOTHING, lost: ["a", "unknown"], cancelled: ["b"] });
    leases.keep({ taskId: "d", attempt: 1, ttlSeconds: 60, isOld: true });
    const { body } = await script.nth(2);
    assert.deepEqual(
      body.claims.map(({ task_id: id }: Json) => id),
      ["b", "c", "d"],
    );
    assert.deepEqual(told, ["cancelled b 7", "lost a 7"]);
  });

  it("ignore an answer about an earlier claim of the same task", async () => {
    const { script, told, leases } = scripted();
    leases.keep({ taskId: "a", attempt: 1, ttlSeconds: 1, isOld: true });
    const first = await script.nth(1);
    leases.drop("a", 1);
    leases.keep({ taskId: "a", attempt: 2, ttlSeconds: 1, isOld: true });
    await script.nth(2);
    const lease = { ttl_seconds: 300, expires_at: "" };
    first.answer({ ...NOTHING, claims: [{ ...held(1), lease }], lost: ["a"], cancelled: ["a"] });
    leases.drop("a", 1);
    const third = await script.nth(3);
    assert.deepEqual(third.body.claims, [{ task_id: "a", attempt: 2 }]);
    const ofSecond = (): string[] => told.filter((line) => line.endsWith(" 2"));
    assert.deepEqual(ofSecond(), []);
    // That does not renew its lease either.
    await script.nth(5);
    assert.deepEqual(ofSecond(), ["lost a 2"]);
  });

  it("keep an unknown claim that may be about to be handed out, until they drain", async () => {
    const { script, leases } = scripted();
    leases.keep({ taskId: "b", attempt: 1, ttlSeconds: 1, isOld: true });
    const reply = {
      ...NOTHING,
      claims: [{ ...held(1), task_id: "b" }],
      unnamed: [{ task_id: "a", attempt: 3 }],
    };
    (await script.nth(1)).answer(reply);
    assert.match((await script.nth(2)).subject, /heartbeat/);
    leases.drain();
    (await script.nth(2)).answer(reply);
    const release = await script.nth(3);
    assert.deepEqual([release.subject, release.body.attempt], ["tasks.release.a", 3]);
  });

  it("are named in several heartbeats if there are too many for one", async () => {
    const { script, told, leases } = scripted();
    for (let i = 0; i < 1_001; i++) {
      leases.keep({ taskId: `t${i}`, attempt: 1, ttlSeconds: 60, isOld: true });
    }
    const [first, second] = [await script.nth(1), await script.nth(2)];
    assert.deepEqual([first.body.claims.length, second.body.claims.length], [1_000, 1]);
    // A claim that the other heartbeat has named is no stray.
    leases.drain();
    first.answer({ ...NOTHING, unnamed: second.body.claims });
    second.answer({ ...NOTHING, lost: ["t0", "t1000"] });
    assert.match((await script.nth(3)).subject, /heartbeat/);
    assert.deepEqual(told, ["lost t1000 1"]);
  });

  it("end when another instance has the session, and no request follows", async () => {
    const { script, told, log, leases } = scripted();
    leases.keep({ taskId: "a", attempt: 1, ttlSeconds: 1, isOld: true });
    (await script.nth(1)).answer(refusal("session_replaced", false));
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual([told, script.count], [["session_replaced"], 1]);
    assert.deepEqual(log.of("warn"), []);
  });

  it("are renewed again after a failure, which is logged once", async () => {
    const { script, log, leases } = scripted();
    leases.keep({ taskId: "a", attempt: 1, ttlSeconds: 10, isOld: true });
    for (let count = 1; count <= 3; count++) {
      (await script.nth(count)).answer(refusal("unavailable", true));
    }
    (await script.nth(4)).answer(NOTHING);
    assert.equal(log.of("warn").length, 1);
    assert.match(log.of("warn").join(), /the heartbeat of s1 failed/);
  });

  it("are not renewed after stop, and a draining session is not registered again", async () => {
    const { script, log, leases } = scripted();
    leases.keep({ taskId: "a", attempt: 1, ttlSeconds: 60, isOld: true });
    const beat = await script.nth(1);
    leases.drain();
    beat.answer(refusal("not_found", false));
    assert.equal((await script.nth(2)).subject, "sessions.heartbeat.s1");
    leases.stop();
    leases.keep({ taskId: "b", attempt: 1, ttlSeconds: 1, isOld: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(script.count, 2);
    assert.deepEqual(log.of("warn"), []);
  });
});

describe("the leases of a worker", () => {
  it("last as long as its handler, and a session that has expired is registered again", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const options = { session: "s1", capabilities: ["gpu"], ttlSeconds: 1 };
    const worker = library.coordinator.work(options, work.handler);
    const { context, finish } = await work.nth(1);
    const ended = performance.now() + 3_000;
    const sessions = await new Kvm(coordinator.connection).open("sessions");
    await sessions.purge("s1");
    const registered = ({ sessions: [first] }: Json): boolean => first?.session_id === "s1";
    const { sessions: listed } = await coordinator.until("sessions.list", registered);
    assert.deepEqual([listed[0].capabilities, listed[0].claims], [["gpu"], 1]);
    while (performance.now() < ended) {
      const { holds } = await coordinator.ok("tasks.verify.a", { session_id: "s1", attempt: 1 });
      assert.ok(holds);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(context.signal.aborted, false);
    finish("at last");
    await worker.stop();
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.result, task.attempt, task.failures], ["at last", 1, 0]);
  });

  it("do not keep a task forever that the worker has given up and the coordinator has not", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", ttlSeconds: 1 }, work.handler);
    const { aborted } = await work.nth(1);
    // The worker gets no answer for some time, but its lease is renewed.
    const connection = library.bus.link;
    const request = connection.request.bind(connection);
    connection.request = () => new Promise<never>(() => undefined);
    await coordinator.ok("tasks.renew.a", { session_id: "s1", attempt: 1, ttl_seconds: 300 });
    assert.equal((await aborted).code, "lease_lost");
    connection.request = request;
    const { claims } = await next(coordinator, "s2", { wait_seconds: 10 });
    const [claim] = claims;
    assert.deepEqual([claim.task.task_id, claim.attempt, claim.task.failures], ["a", 2, 0]);
    work.finishAll();
    await worker.stop();
  });
});
