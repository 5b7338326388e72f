/** The audit of a secured coordinator, on a real server. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../src/cleanup.ts";
import { AuditReader, type StoredAuditMessage } from "../src/nats/audit-reader.ts";
import { auditSubjects } from "../src/protocol/audit-message.ts";
import type { Fact } from "../src/service/ports.ts";
import { TestServer } from "./support/nats-server.ts";
import { CliProcess, runCli } from "./support/cli-process.ts";
import { SecuredServer } from "./support/secured-server.ts";
import { startWorker } from "./support/secured-worker.ts";
import type { Json } from "./support/test-coordinator.ts";

async function ask(client: NatsConnection, subject: string, body: object = {}): Promise<Json> {
  return (await client.request(subject, JSON.stringify(body))).json<Json>();
}

/** The first entries of the audit that fit, as many as asked for. */
async function entries(
  connection: NatsConnection,
  count: number,
  filter: Parameters<typeof auditSubjects>[0] = {},
): Promise<StoredAuditMessage[]> {
  const reader = new AuditReader(connection, undefined, {
    subjects: auditSubjects(filter),
    wants: () => true,
  });
  const found: StoredAuditMessage[] = [];
  for await (const entry of reader.from({ sequence: 1 }, null)) {
    found.push(entry);
    if (found.length === count) break;
  }
  return found;
}

function outline({ outcome, principal, operation, id, session_id, event }: StoredAuditMessage) {
  return [outcome, principal, operation, id, session_id, event];
}

describe("the audit of a secured coordinator", () => {
  const cleanup = new Cleanup();
  const facts: Fact[] = [];
  let secured: SecuredServer;
  let workers: NatsConnection;
  let alice: NatsConnection;
  let ann: NatsConnection;

  before(async () => {
    secured = await SecuredServer.start();
    cleanup.defer(() => secured[Symbol.asyncDispose]());
    const settings = {
      "nats.servers": [secured.server.url],
      "nats.creds_file": secured.folder.credentialsFile("worker"),
      "auth.mode": "accounts" as const,
    };
    await startWorker(cleanup, settings, facts);
    workers = await secured.connectAs("worker");
    alice = await secured.connect(await secured.add("alice"));
    ann = await secured.connect(await secured.add("ann", "operator"));
    await ask(ann, "tasks.create.P1", { title: "one" });
    await ask(alice, "sessions.register.alice");
    await ask(alice, "tasks.claim.P1", { session_id: "alice" });
    await ask(alice, "tasks.claim.P1", { session_id: "bob" });
    await ask(alice, "tasks.renew.P1", { session_id: "alice", attempt: 1 });
    await ask(alice, "tasks.requeue.P1");
    await ask(ann, "tasks.requeue.P1");
    await ask(alice, "tasks.release.P1", { session_id: "alice", attempt: 1, status: "complete" });
    await ask(alice, "tasks.next", { session_id: "alice" });
  });

  after(() => cleanup[Symbol.asyncDispose]());

  it("has each change and each refusal for lack of right, with who caused it", async () => {
    assert.deepEqual((await entries(workers, 8)).map(outline), [
      ["ok", "operator.ann", "tasks.create", "P1", undefined, "task_created"],
      ["ok", "agent.alice", "sessions.register", "alice", "alice", undefined],
      ["ok", "agent.alice", "tasks.claim", "P1", "alice", "task_claimed"],
      ["forbidden", "agent.alice", "tasks.claim", "P1", "bob", undefined],
      ["forbidden", "agent.alice", "tasks.requeue", "P1", undefined, undefined],
      ["ok", "operator.ann", "tasks.requeue", "P1", "alice", "task_requeued"],
      ["lease_lost", "agent.alice", "tasks.release", "P1", "alice", undefined],
      ["ok", "agent.alice", "tasks.claim", "P1", "alice", "task_claimed"],
    ]);
    const [created, , claimed] = await entries(workers, 3);
    assert.match(created?.worker ?? "", /^worker-/);
    assert.ok((Date.parse(created?.time ?? "") || 0) > Date.now() - 60_000);
    assert.deepEqual([claimed?.attempt, claimed?.revision], [1, 2]);
  });

  it("can be filtered by NATS alone", async () => {
    const ofAnn = await entries(workers, 2, { principal: "operator.ann" });
    assert.deepEqual(
      ofAnn.map(({ operation }) => operation),
      ["tasks.create", "tasks.requeue"],
    );
    const refused = await entries(workers, 3, { refused: true });
    assert.deepEqual(
      refused.map(({ sequence }) => sequence),
      [4, 5, 7],
    );
    const requeues = await entries(workers, 2, { operation: "tasks.requeue" });
    assert.deepEqual(
      requeues.map(({ outcome }) => outcome),
      ["forbidden", "ok"],
    );
  });

  it("is in a stream of bounded age and size, from which nobody can delete", async () => {
    const jsm = await jetstreamManager(workers);
    const { config } = await jsm.streams.info("AUDIT");
    assert.deepEqual(
      [config.max_age / 1e9, config.max_bytes, config.discard, config.deny_purge],
      [2_592_000, 1_073_741_824, "old", true],
    );
    await assert.rejects(jsm.streams.purge("AUDIT"), /purge/i);
  });

  it("cannot be read or written by agents and operators", async () => {
    for (const client of [alice, ann]) {
      await assert.rejects(entries(client, 1), /does not let this user read the audit/);
      const { last } = await stateOf(workers);
      client.publish("audit.ok.operator.ann.tasks.create", "{}");
      // As the place for an answer, too.
      client.publish("tasks.get.P1", "{}", { reply: "audit.ok.operator.ann.tasks.get" });
      await ask(client, "tasks.get.P1");
      assert.equal((await stateOf(workers)).last, last);
    }
  });

  it("is shown by `audit`, and only to workers", async () => {
    const { url } = secured.server;
    const as = (name: string, ...args: string[]) =>
      runCli(["audit", "--nats", url, "--creds", secured.folder.credentialsFile(name), ...args]);
    const refused = await as("worker", "--refused");
    assert.deepEqual([refused.code, refused.stderr], [0, ""]);
    const lines = refused.stdout.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^TIME +OUTCOME +PRINCIPAL +OPERATION +SESSION +ID$/);
    assert.match(lines[1] ?? "", /^\S+Z forbidden +agent\.alice +tasks\.claim +bob +P1$/);
    assert.match(lines[3] ?? "", /lease_lost +agent\.alice +tasks\.release +alice +P1 #1$/);
    assert.equal(lines.length, 4);

    const sequences = async (...args: string[]): Promise<number[]> => {
      const { code, stdout, stderr } = await as("worker", "--jsonl", ...args);
      assert.deepEqual([code, stderr], [0, ""]);
      return stdout.split("\n").flatMap((line) => (line === "" ? [] : [sequenceIn(line)]));
    };
    assert.deepEqual(await sequences("--limit", "2"), [7, 8]);
    assert.deepEqual(await sequences("--task", "P1", "--principal", "operator.ann"), [1, 6]);
    assert.deepEqual(await sequences("--operation", "sessions.register"), [2]);
    assert.deepEqual(await sequences("--since", "1h", "--limit", "1"), [8]);
    assert.deepEqual(await sequences("--since", "beginning"), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(await sequences("--since", "now"), []);

    const agent = await as("alice");
    assert.equal(agent.stdout, "");
    assert.match(agent.stderr, /does not let this user read the audit: .*worker\.creds/);
    assert.notEqual(agent.code, 0);
  });
});

describe("audit --follow", () => {
  it("shows what is there, then each new message that fits, until it is stopped", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    const alice = await secured.connect(await secured.add("alice"));
    const ann = await secured.connect(await secured.add("ann", "operator"));
    const creds = secured.folder.credentialsFile("worker");
    const settings = { "nats.servers": [secured.server.url], "nats.creds_file": creds };
    await startWorker(cleanup, { ...settings, "auth.mode": "accounts" });
    await ask(alice, "tasks.create.before");
    await ask(ann, "tasks.create.other-1");
    await entries(await secured.connectAs("worker"), 2);
    const login = ["--nats", secured.server.url, "--creds", creds];
    const filter = ["--principal", "agent.alice", "--jsonl"];
    await using follower = new CliProcess(["audit", ...login, ...filter, "--follow"]);
    await follower.waitFor(/"before"/);
    await ask(alice, "tasks.create.after");
    await follower.waitFor(/"after"/);
    await ask(ann, "tasks.create.other-2");
    await ask(alice, "tasks.requeue.before");
    await follower.waitFor(/"forbidden"/);
    follower.interrupt();
    const { code, stdout, stderr } = await follower.exited;
    assert.deepEqual([code, stderr], [130, ""]);
    const shown = stdout.trimEnd().split("\n");
    assert.deepEqual(shown.map(sequenceIn), [1, 3, 5]);
  });
});

/** Accounts with passwords, on a server with little room. */
const SMALL = `
jetstream { max_file_store: 64MB }
accounts {
  COORDINATOR {
    jetstream: enabled
    users: [{ user: worker, password: w }]
    exports: [{ service: "agent.s1.>", accounts: [S1] }]
  }
  S1 {
    users: [{ user: s1, password: s }]
    imports: [{ service: { account: COORDINATOR, subject: "agent.s1.tasks.>" }, to: "tasks.>" }]
  }
}`;
const SMALL_SETTINGS = {
  "nats.username": "worker",
  "nats.password": "w",
  "auth.mode": "accounts",
} as const;

describe("a worker without room for the audit", () => {
  it("serves, and says so", async () => {
    await using server = await TestServer.start({ config: SMALL });
    await using cleanup = new Cleanup();
    const facts: Fact[] = [];
    await startWorker(cleanup, { ...SMALL_SETTINGS, "nats.servers": [server.url] }, facts);
    const agent = await server.connect({ user: "s1", pass: "s" });
    assert.equal((await ask(agent, "tasks.create.P1")).ok, true);
    const problems = facts.flatMap((fact) => (fact.kind === "audit_problem" ? [fact] : []));
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.problem ?? "", /^cannot make the stream AUDIT \(.*storage/);
    const login = ["--user", "worker", "--password", "w"];
    const { stdout } = await runCli(["doctor", "--nats", server.url, ...login]);
    assert.match(stdout, /audit +.*there is no stream AUDIT/);
  });

  it("has an audit if the stream is small enough", async () => {
    await using server = await TestServer.start({ config: SMALL });
    await using cleanup = new Cleanup();
    const settings = { ...SMALL_SETTINGS, "nats.servers": [server.url] };
    await startWorker(cleanup, { ...settings, "audit.max_bytes": 10_000_000 });
    const agent = await server.connect({ user: "s1", pass: "s" });
    await ask(agent, "tasks.create.P1");
    const workers = await server.connect({ user: "worker", pass: "w" });
    assert.deepEqual(
      (await entries(workers, 1)).map(({ principal }) => principal),
      ["agent.s1"],
    );
  });
});

describe("a deleted audit", () => {
  it("is made again, and a message is lost at most until then", async () => {
    await using server = await TestServer.start();
    await using cleanup = new Cleanup();
    const settings = { "nats.servers": [server.url], "audit.enabled": true };
    await startWorker(cleanup, settings);
    const client = await server.connect();
    await ask(client, "tasks.create.P1", { session_id: "s1" });
    const [first] = await entries(client, 1);
    assert.deepEqual(
      [first?.operation, first?.session_id, first?.principal],
      ["tasks.create", "s1", undefined],
    );
    const jsm = await jetstreamManager(client);
    await jsm.streams.delete("AUDIT");
    for (let i = 0; ; i++) {
      await ask(client, `tasks.create.P2-${i}`);
      if ((await jsm.streams.names("audit.>").next()).length > 0) break;
    }
    await ask(client, "tasks.create.P3");
    const reader = new AuditReader(client, undefined, {
      subjects: auditSubjects({}),
      wants: ({ id }) => id === "P3",
    });
    for await (const { id } of reader.from({ sequence: 1 }, null)) {
      assert.equal(id, "P3");
      break;
    }
  });
});

describe("a coordinator in open mode", () => {
  it("has no audit unless it is asked for", async () => {
    await using server = await TestServer.start();
    await using cleanup = new Cleanup();
    await startWorker(cleanup, { "nats.servers": [server.url] });
    const client = await server.connect();
    await ask(client, "tasks.create.P1");
    await assert.rejects(entries(client, 1), /has no stream AUDIT .*audit\.enabled/);
  });
});

function sequenceIn(line: string): number {
  return (JSON.parse(line) as StoredAuditMessage).sequence;
}

async function stateOf(connection: NatsConnection): Promise<{ last: number }> {
  const { state } = await (await jetstreamManager(connection)).streams.info("AUDIT");
  return { last: state.last_seq };
}
