/** Records say who created a task, and events who sent the request that caused them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../src/cleanup.ts";
import { runCli } from "./support/cli-process.ts";
import { SecuredServer } from "./support/secured-server.ts";
import { serveSecured } from "./support/secured-worker.ts";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

async function ask(connection: NatsConnection, subject: string, body: object = {}): Promise<Json> {
  const reply = await connection.request(subject, JSON.stringify(body), { timeout: 10_000 });
  const json = reply.json<Json>();
  assert.equal(json.ok, true, `${subject}: ${JSON.stringify(json.error)}`);
  return json;
}

/** What happened to the task, and who did it, oldest first. */
async function told(coordinator: TestCoordinator, id: string): Promise<string[]> {
  const { entries } = await coordinator.ok(`tasks.history.${id}`);
  return entries.map(({ task: { last_event: event } }: Json) =>
    [event.type.replace("task_", ""), event.principal].filter(Boolean).join(" "),
  );
}

describe("in a secured set-up", () => {
  it("a record names the principals for whom the server vouches", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await serveSecured(secured, cleanup);
    const [s1, s2, ann] = [
      await secured.connect(await secured.add("s1")),
      await secured.connect(await secured.add("s2")),
      await secured.connect(await secured.add("ann", "operator")),
    ];
    const authors = ({ task }: Json): string[] => [task.created_by, task.last_event.principal];
    assert.deepEqual(authors(await ask(s1, "tasks.create.a", { session_id: "s1.x" })), [
      "agent.s1",
      "agent.s1",
    ]);
    const claim = await ask(s2, "tasks.claim.a", { session_id: "s2" });
    assert.deepEqual(authors(claim), ["agent.s1", "agent.s2"]);
    const cancelled = await ask(ann, "tasks.cancel.a", { force: true });
    assert.deepEqual(authors(cancelled), ["agent.s1", "operator.ann"]);
    await ask(ann, "tasks.import", { tasks: [{ task_id: "b" }] });
    assert.deepEqual(authors(await ask(s1, "tasks.get.b")), ["operator.ann", "operator.ann"]);

    const nats = ["--nats", secured.server.url, "--creds", secured.folder.credentialsFile("ann")];
    const get = await runCli(["task", "get", "a", ...nats]);
    assert.match(get.stdout, /^ +created +\S+ \(.+ ago\) by agent\.s1$/m);
    const history = await runCli(["task", "history", "a", ...nats]);
    assert.match(history.stdout, / created +available +s1\.x +-$/m);
    assert.match(history.stdout, / claimed +claimed +s2 +1$/m);
    assert.match(history.stdout, / cancelled +cancelled +s2 \(operator\.ann\) +1$/m);
  });
});

describe("an event", () => {
  it("names who sent the request, for each request that changes a task", async () => {
    await using coordinator = await TestCoordinator.start();
    const ok = (subject: string, body: object = {}): Promise<Json> => coordinator.ok(subject, body);
    await ok("agent.s1.tasks.create.a");
    await ok("operator.ann.tasks.update.a", { priority: 0 });
    await ok("agent.s2.tasks.next", { session_id: "s2" });
    const end = { session_id: "s2", attempt: 1 };
    await ok("agent.s2.tasks.release.a", { ...end, status: "failed", retry: false });
    await ok("operator.ann.tasks.requeue.a");
    await ok("agent.s3.tasks.claim.a", { session_id: "s3" });
    await ok("operator.ann.tasks.cancel.a");
    await ok("agent.s3.tasks.release.a", { session_id: "s3", attempt: 2, status: "available" });
    assert.deepEqual(await told(coordinator, "a"), [
      "created agent.s1",
      "updated operator.ann",
      "claimed agent.s2",
      "failed agent.s2",
      "requeued operator.ann",
      "claimed agent.s3",
      "cancel_requested operator.ann",
      "cancelled agent.s3",
    ]);
    assert.equal((await ok("tasks.get.a")).task.created_by, "agent.s1");
  });

  it("names who waited for the task, who asked for it with a release, and who ended the session", async () => {
    await using coordinator = await TestCoordinator.start();
    const waiting = coordinator.ok("agent.s1.tasks.next", { session_id: "s1", wait_seconds: 10 });
    await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === 1);
    await coordinator.ok("agent.s2.tasks.create.a");
    await waiting;
    await coordinator.ok("tasks.create.b");
    await coordinator.ok("agent.s1.sessions.register.s1");
    const end = { session_id: "s1", attempt: 1, status: "complete" };
    await coordinator.ok("agent.s1.tasks.release.a", { ...end, next: {} });
    await coordinator.ok("agent.s1.sessions.unregister.s1");
    assert.deepEqual(await told(coordinator, "a"), [
      "created agent.s2",
      "claimed agent.s1",
      "completed agent.s1",
    ]);
    assert.deepEqual(await told(coordinator, "b"), [
      "created",
      "claimed agent.s1",
      "released agent.s1",
    ]);
  });

  it("names nobody for what workers do by themselves", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("agent.s1.tasks.create.a");
    await coordinator.ok("agent.s1.tasks.create.b", { depends_on: ["a"] });
    const claim = { session_id: "s1", ttl_seconds: 1 };
    await coordinator.ok("agent.s1.tasks.claim.a", claim);
    await coordinator.until("tasks.get.a", ({ task }) => task.status === "available");
    await coordinator.ok("agent.s1.tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("agent.s1.tasks.release.a", { session_id: "s1", status: "complete" });
    await coordinator.until("tasks.get.b", ({ task }) => task.status === "available");
    assert.deepEqual((await told(coordinator, "a")).slice(1), [
      "claimed agent.s1",
      "expired",
      "claimed agent.s1",
      "completed agent.s1",
    ]);
    assert.deepEqual(await told(coordinator, "b"), ["created agent.s1", "unblocked"]);
  });
});

describe("without principals", () => {
  it("a task is created by the session that the request names, or by nobody", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { session_id: "lead" });
    await coordinator.ok("tasks.create.b");
    await coordinator.ok("tasks.import", { tasks: [{ task_id: "c" }], session_id: "lead" });
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const record = async (id: string): Promise<Json> =>
      (await coordinator.ok(`tasks.get.${id}`)).task;
    assert.equal((await record("a")).created_by, "session.lead");
    assert.equal("created_by" in (await record("b")), false);
    assert.equal((await record("c")).created_by, "session.lead");
    for (const id of ["a", "b", "c"]) {
      assert.equal("principal" in (await record(id)).last_event, false);
    }
  });
});
