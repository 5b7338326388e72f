/** Prefixes and limits of principals: in the signed account, and with the workers at the first request. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../../src/cleanup.ts";
import { type CliExit, runCli } from "../support/cli-process.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { serveSecured } from "../support/secured-worker.ts";
import type { Json } from "../support/test-coordinator.ts";

function auth({ folder, server }: SecuredServer, ...args: string[]): Promise<CliExit> {
  return runCli(["auth", ...args, "--dir", folder.path, "--nats", server.url]);
}

async function add(secured: SecuredServer, ...args: string[]): Promise<void> {
  const { code, stderr } = await auth(secured, ...args);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
}

async function ask(connection: NatsConnection, subject: string, body: object = {}): Promise<Json> {
  const reply = await connection.request(subject, JSON.stringify(body), { timeout: 10_000 });
  return reply.json<Json>();
}

/** What `auth list` says about the principal. */
async function listed({ folder }: SecuredServer, name: string): Promise<Json> {
  const { stdout } = await runCli(["auth", "list", "--dir", folder.path, "--json"]);
  const { principals }: Json = JSON.parse(stdout);
  return principals.find((one: Json) => one.name === name);
}

describe("auth add-agent with prefixes and limits", () => {
  it("makes them hold at the first request, also before a worker has made the bucket", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await add(
      secured,
      "add-agent",
      "s1",
      "--prefix",
      "s1.",
      "--prefix",
      "P0.",
      "--limits",
      "claims=2",
    );
    await serveSecured(secured, cleanup);
    await add(secured, "add-agent", "s2", "--prefix", "s2.", "--limits", "connections=9,tasks=7");
    await add(secured, "add-operator", "ann", "--prefix", "board.");
    const [s1, s2, ann] = [
      await secured.connectAs("s1"),
      await secured.connectAs("s2"),
      await secured.connectAs("ann"),
    ];
    assert.equal((await ask(s2, "tasks.create.s1.a")).error.code, "forbidden");
    assert.equal((await ask(s2, "tasks.create.free")).error.code, "forbidden");
    assert.equal((await ask(s2, "tasks.create.board.a")).error.code, "forbidden");
    assert.match((await ask(s2, "tasks.create")).task.task_id, /^s2\.task-/);
    for (const id of ["s1.a", "P0.1"]) assert.equal((await ask(s1, `tasks.create.${id}`)).ok, true);
    for (const id of ["s1.b", "free"])
      assert.equal((await ask(ann, `tasks.create.${id}`)).ok, true);

    const { prefixes, limits } = await listed(secured, "s1");
    assert.deepEqual([prefixes, limits.claims], [["s1.", "P0."], 2]);
    const two = await listed(secured, "s2");
    assert.deepEqual([two.limits.connections, two.limits.tasks], [9, 7]);
    const table = await runCli(["auth", "list", "--dir", secured.folder.path]);
    assert.match(table.stdout, /^s1 +agent +active +\S+ +s1\.,P0\. +connections=\S+,claims=2$/m);
  });

  it("keeps them through a rotation, a revocation and a push", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await serveSecured(secured, cleanup);
    await add(secured, "add-agent", "s1", "--prefix", "s1.", "--limits", "claims=2");
    await add(secured, "add-agent", "s2");
    await add(secured, "rotate", "s1");
    assert.match(
      (await auth(secured, "revoke", "s1")).stdout,
      /Its tasks and prefixes stay its own/,
    );
    assert.deepEqual((await listed(secured, "s1")).prefixes, ["s1."]);
    const s2 = await secured.connectAs("s2");
    assert.equal((await ask(s2, "tasks.create.s1.a")).error.code, "forbidden");

    const worker = await secured.connectAs("worker");
    const bucket = await new Kvm(worker).open("principals");
    await bucket.delete("agent.s1");
    const pushed = await auth(secured, "push");
    assert.deepEqual([pushed.code, pushed.stderr], [0, ""]);
    const entry = await bucket.get("agent.s1");
    assert.deepEqual(entry?.json(), { prefixes: ["s1."], limits: { claims: 2 } });

    await add(secured, "add-agent", "s1");
    assert.deepEqual((await listed(secured, "s1")).prefixes, ["s1."]);
    const s1 = await secured.connectAs("s1");
    assert.equal((await ask(s1, "tasks.create.s1.a")).ok, true);
  });

  it("says that they do not hold yet if no server runs", async () => {
    await using secured = await SecuredServer.start();
    const { code, stderr } = await runCli([
      ...["auth", "add-agent", "s1", "--prefix", "s1.", "--dir", secured.folder.path],
      ...["--nats", "nats://127.0.0.1:1"],
    ]);
    assert.equal(code, 0);
    assert.match(
      stderr,
      /the prefixes and limits of agent\.s1 do not hold yet .*: if-coordinator auth push/,
    );
  });

  it("refuses a prefix that no id can have", async () => {
    await using secured = await SecuredServer.start();
    for (const prefix of ["", ".", "a b", "a..", "*"]) {
      const { code, stderr } = await auth(secured, "add-agent", "s1", "--prefix", prefix);
      assert.equal(code, 2, prefix);
      assert.match(stderr, /1 to 200 characters out of/);
    }
  });
});
