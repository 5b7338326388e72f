/** `tasks.release` with `next` by the client, also with a coordinator that does not know the field. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nameConnection } from "../../src/client/connection-field.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { RequestFailedError, type Requester } from "../../src/nats/request.ts";
import { MAX_ID_LENGTH } from "../../src/protocol/subjects.ts";
import { Library } from "../support/library.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const COMPLETE = { session_id: "s1", status: "complete" } as const;

/** A client for which `answer` stands between it and the coordinator, and notes what it sends. */
class Between implements AsyncDisposable {
  readonly sent: { readonly subject: string; readonly body: Json }[] = [];
  readonly library: Library;
  readonly tasks: TaskClient;

  private constructor(
    library: Library,
    answer: (body: Json, pass: () => Promise<string>) => Promise<string>,
  ) {
    this.library = library;
    const { link } = library.bus;
    const requester: Requester = {
      maxPayload: link.maxPayload,
      request: (subject, text, ...rest) => {
        const body: Json = JSON.parse(text);
        this.sent.push({ subject, body });
        return answer(body, () => link.request(subject, text, ...rest));
      },
    };
    this.tasks = new TaskClient(requester);
  }

  static async start(
    coordinator: TestCoordinator,
    answer: (body: Json, pass: () => Promise<string>) => Promise<string>,
  ): Promise<Between> {
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    const between = new Between(await Library.connect(coordinator), answer);
    await between.tasks.claim("a", { session_id: "s1" });
    between.sent.length = 0;
    return between;
  }

  get subjects(): string[] {
    return this.sent.map(({ subject }) => subject);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.library[Symbol.asyncDispose]();
  }
}

/** What a coordinator of version 0.1 without `next` answers. */
function refusing(body: Json, pass: () => Promise<string>): Promise<string> {
  if (body.next === undefined) return pass();
  const error = { code: "invalid_request", message: 'unknown field "next"', field: "next" };
  return Promise.resolve(JSON.stringify({ ok: false, error: { ...error, retryable: false } }));
}

describe("a release with next by the client", () => {
  it("is one request, and the attempts of both claims are known", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await Between.start(coordinator, (_, pass) => pass());
    const { task, next } = await client.tasks.release("a", { ...COMPLETE, next: {} });
    assert.equal(task.status, "complete");
    assert.equal(next?.claims[0]?.task.task_id, "b");
    await client.tasks.release("b", { ...COMPLETE });
    assert.deepEqual(client.subjects, ["tasks.release.a", "tasks.release.b"]);
    assert.deepEqual(
      client.sent.map(({ body }) => body.attempt as number),
      [1, 1],
    );
  });

  it("gets the same claim when its first answer was lost", async () => {
    await using coordinator = await TestCoordinator.start();
    let isLost = false;
    await using client = await Between.start(coordinator, async (body, pass) => {
      const reply = await pass();
      if (body.next === undefined || isLost) return reply;
      isLost = true;
      throw new RequestFailedError("timeout", "the answer is lost");
    });
    const { next } = await client.tasks.release("a", { ...COMPLETE, next: { wait_seconds: 5 } });
    assert.deepEqual([next?.claims.length, next?.claims[0]?.already_held], [1, true]);
    assert.deepEqual(client.subjects, ["tasks.release.a", "tasks.release.a"]);
    const [first, second] = client.sent;
    assert.equal(first?.body.next.wait_seconds, 5);
    assert.ok(
      second?.body.next.wait_seconds < 5,
      "the time for which it waits does not begin again",
    );
    assert.equal((await coordinator.ok("tasks.get.c")).task.attempt, 0);
  });

  it("finds the claims that were made although the worker could not know", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await Between.start(coordinator, async (body, pass) => {
      const reply: Json = JSON.parse(await pass());
      if (body.next === undefined) return JSON.stringify(reply);
      const error = { code: "unavailable", message: "no acknowledgement", retryable: true };
      const next = { claims: [], reasons: {}, next_due_at: null, error };
      return JSON.stringify({ ...reply, next });
    });
    const { task, next } = await client.tasks.release("a", { ...COMPLETE, next: {} });
    assert.equal(task.status, "complete");
    const [claim] = next?.claims ?? [];
    assert.deepEqual([claim?.task.task_id, claim?.already_held], ["b", true]);
    assert.deepEqual(client.subjects, ["tasks.release.a", "tasks.next"]);
    assert.equal((await coordinator.ok("tasks.get.c")).task.attempt, 0);
  });

  it("is two requests if the coordinator does not know the field, which is then remembered", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await Between.start(coordinator, refusing);
    const first = await client.tasks.release("a", { ...COMPLETE, next: { ttl_seconds: 60 } });
    assert.deepEqual([first.ok, first.task.status], [true, "complete"]);
    assert.equal(first.next?.claims[0]?.lease.ttl_seconds, 60);
    assert.deepEqual(client.subjects, ["tasks.release.a", "tasks.release.a", "tasks.next"]);
    const second = await client.tasks.release("b", { ...COMPLETE, next: {} });
    assert.equal(second.next?.claims[0]?.task.task_id, "c");
    assert.deepEqual(client.subjects.slice(3), ["tasks.release.b", "tasks.next"]);
    const third = await client.tasks.release("c", { ...COMPLETE, next: {} });
    assert.deepEqual(third.next, { claims: [], reasons: {}, next_due_at: null });
  });

  it("finds with two requests what a newer worker has claimed for the first", async () => {
    await using coordinator = await TestCoordinator.start();
    let isLost = false;
    await using client = await Between.start(coordinator, async (body, pass) => {
      if (isLost) return refusing(body, pass);
      const reply = await pass();
      if (body.next === undefined) return reply;
      isLost = true;
      throw new RequestFailedError("timeout", "the answer is lost");
    });
    const { next } = await client.tasks.release("a", { ...COMPLETE, next: {} });
    const [claim] = next?.claims ?? [];
    assert.deepEqual([claim?.task.task_id, claim?.already_held], ["b", true]);
    assert.equal((await coordinator.ok("tasks.get.c")).task.attempt, 0);
  });

  it("finds the claims that follow a task whose id has the greatest length", async () => {
    const ids = ["x", "y", "z"].map((letter) => letter.repeat(MAX_ID_LENGTH));
    const [held = "", next = "", last = ""] = ids;
    await using coordinator = await TestCoordinator.start();
    for (const id of ids) await coordinator.ok(`tasks.create.${id}`, { priority: 0 });
    let isAnswered = true;
    await using client = await Between.start(coordinator, async (body, pass) => {
      const reply = await pass();
      if (isAnswered || body.next === undefined) return reply;
      const error = { code: "unavailable", message: "no acknowledgement", retryable: true };
      const nothing = { claims: [], reasons: {}, next_due_at: null, error };
      return JSON.stringify({ ...JSON.parse(reply), next: nothing });
    });
    await client.tasks.claim(held, { session_id: "s1" });
    isAnswered = false;
    const released = await client.tasks.release(held, { ...COMPLETE, next: {} });
    assert.deepEqual([released.task.status, released.next?.error], ["complete", undefined]);
    const [claim] = released.next?.claims ?? [];
    assert.deepEqual([claim?.task.task_id, claim?.already_held], [next, true]);
    assert.equal((await coordinator.ok(`tasks.get.${last}`)).task.attempt, 0);
  });

  it("reports the error of the second request in its reply", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await Between.start(coordinator, refusing);
    const release = { ...COMPLETE, next: { tags: [""] } };
    const { ok, next } = await client.tasks.release("a", release);
    assert.deepEqual([ok, next?.claims, next?.error?.code], [true, [], "invalid_request"]);
  });

  it("rejects if it is refused, for a field of next too", async () => {
    await using coordinator = await TestCoordinator.start();
    await using client = await Between.start(coordinator, (_, pass) => pass());
    const bad = client.tasks.release("a", { ...COMPLETE, next: { max: 0 } });
    await assert.rejects(bad, { code: "invalid_request", details: { field: "next.max" } });
    const stale = client.tasks.release("a", { ...COMPLETE, attempt: 9, next: {} });
    await assert.rejects(stale, { code: "lease_lost" });
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "claimed");
  });
});

describe("release_on_disconnect: true in next", () => {
  const own = { server_id: "S", client_id: 7 };

  it("stands for the connection of the request", () => {
    const body = { session_id: "s1", next: { max: 2, release_on_disconnect: true } };
    assert.deepEqual(nameConnection(body, own), {
      session_id: "s1",
      next: { max: 2, release_on_disconnect: own },
    });
    assert.deepEqual(nameConnection(body, undefined), { session_id: "s1", next: { max: 2 } });
  });

  it("leaves other bodies as they are", () => {
    for (const next of [undefined, null, {}, { release_on_disconnect: own }]) {
      const body = { session_id: "s1", next };
      assert.equal(nameConnection(body, own), body);
    }
  });
});
