/** What agents with accounts of their own receive besides replies, if they do not see everything. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../src/cleanup.ts";
import { BusConnection } from "../src/client/bus-connection.ts";
import { TaskClient } from "../src/client/task-client.ts";
import { UpdateFeed } from "../src/client/update-feed.ts";
import { compileFilter } from "../src/client/update-filter.ts";
import { runCli } from "./support/cli-process.ts";
import { TestServer } from "./support/nats-server.ts";
import { ObservedUpdates } from "./support/observed-updates.ts";
import { SecuredServer } from "./support/secured-server.ts";
import { serveSecured, startWorker } from "./support/secured-worker.ts";
import { TempFolder } from "./support/temp-folder.ts";
import type { Json } from "./support/test-coordinator.ts";

async function ask(connection: NatsConnection, subject: string, body = {}): Promise<Json> {
  const reply = (await connection.request(subject, JSON.stringify(body))).json<Json>();
  assert.equal(reply.ok, true, JSON.stringify(reply));
  return reply;
}

/** The ids of the tasks whose records arrive. */
async function updatesOf(connection: NatsConnection): Promise<string[]> {
  const ids: string[] = [];
  connection.subscribe("task-updates.>", {
    callback: (_, { subject }) => {
      ids.push(subject.slice("task-updates.".length));
    },
  });
  await connection.flush();
  return ids;
}

const SILENCE_MS = 50;

describe("an agent that does not see everything", () => {
  for (const visibility of ["definitions", "own"] as const) {
    it(`receives the records of its own tasks, and an operator those of all (${visibility})`, async () => {
      await using secured = await SecuredServer.start(visibility);
      await using cleanup = new Cleanup();
      const [s1, ann] = [
        await secured.connect(await secured.add("s1")),
        await secured.connect(await secured.add("ann", "operator")),
      ];
      await serveSecured(secured, cleanup, {
        "auth.visibility": visibility,
        // It looks at the imports.
        "nats.system_creds_file": secured.folder.credentialsFile("reports"),
      });
      const [ofAgent, ofOperator] = [await updatesOf(s1), await updatesOf(ann)];
      await ask(s1, "tasks.create.a");
      await ask(ann, "tasks.create.b");
      await ann.flush();
      await s1.flush();
      assert.deepEqual(ofOperator, ["a", "b"]);
      assert.deepEqual(ofAgent, ["a"]);
    });

    it(`learns of changes by the checks of the library (${visibility})`, async () => {
      await using secured = await SecuredServer.start(visibility);
      await using cleanup = new Cleanup();
      await secured.add("s1");
      const ann = await secured.connect(await secured.add("ann", "operator"));
      await serveSecured(secured, cleanup, { "auth.visibility": visibility });
      const link = new BusConnection({
        servers: [secured.server.url],
        credsFile: secured.folder.credentialsFile("s1"),
      });
      await link.connect();
      cleanup.defer(() => link.disconnect());
      const logged: string[] = [];
      const log = (message: string): void => {
        logged.push(message);
      };
      const logger = { debug: () => undefined, warn: () => undefined, error: log };
      const tasks = new TaskClient(link, { logger });
      const feed = new UpdateFeed(link, tasks, logger, SILENCE_MS);
      const seen = new ObservedUpdates();
      const filter = compileFilter({});
      await feed.subscribe({ callback: seen.add, onRemoved: seen.add, filter }, "now");
      await ask(ann, "tasks.create.other", { payload: "secret" });
      await tasks.create("mine", { payload: "mine" });
      await ask(ann, "tasks.update.other", { payload: "secret" });
      await tasks.claim("mine", { session_id: "s1" });
      await tasks.release("mine", { session_id: "s1", status: "complete" });
      await seen.untilSeen((one) => "task" in one && one.new_status === "complete", "the end");
      const told = seen.updates.map(({ type, task }) => `${type} ${String(task.payload)}`);
      const own = ["task_created mine", "task_claimed mine", "task_completed mine"];
      const others = ["task_created null", "task_updated null"];
      assert.deepEqual(
        told,
        visibility === "own" ? own : [others[0], own[0], others[1], ...own.slice(1)],
      );
      assert.ok(seen.updates.every((update) => !update.transitions_missing));
      assert.deepEqual(seen.removals, []);
      assert.deepEqual(logged, []);
    });
  }
});

describe("auth check", () => {
  it("finds an agent that receives the records of all tasks, but may not see them", async () => {
    await using server = await TestServer.start({
      config: `jetstream: enabled
        accounts {
          C { jetstream: enabled, users: [{ user: worker, password: "w" }], exports: [
            { service: "agent.*.tasks.>" }, { service: "agent.*.sessions.>" }, { stream: "task-updates.>" } ] }
          S1 { users: [{ user: s1, password: "s" }], imports: [
            { service: { account: C, subject: "agent.s1.tasks.>" }, to: "tasks.>" }
            { service: { account: C, subject: "agent.s1.sessions.>" }, to: "sessions.>" }
            { stream: { account: C, subject: "task-updates.>" } } ] }
        }`,
    });
    await using cleanup = new Cleanup();
    const settings = {
      "nats.servers": [server.url],
      "nats.username": "worker",
      "nats.password": "w",
      "auth.mode": "accounts",
      "auth.visibility": "definitions",
    } as const;
    await startWorker(cleanup, settings);
    const worker = await server.connect({ user: "worker", pass: "w" });
    const check = new AbortController();
    const writing = (async () => {
      for (let i = 0; !check.signal.aborted; i++) await ask(worker, `agent.s2.tasks.create.t-${i}`);
    })();
    const login = ["--nats", server.url, "--user", "s1", "--password", "s"];
    const { stdout, code } = await runCli(["auth", "check", ...login, "--json"]);
    check.abort();
    await writing;
    const bad = JSON.parse(stdout).attempts.filter(({ ok }: Json) => ok !== true);
    assert.deepEqual(
      bad.map(({ attempt, result }: Json) => [attempt, result]),
      [["receive the records of all tasks", "they were received"]],
    );
    assert.equal(code, 1);
  });
});

describe("auth init --visibility", () => {
  it("tells the workers, and is remembered for agents that are added later", async () => {
    await using home = await TempFolder.create();
    const dir = `${home.path}/auth`;
    const init = await runCli(["auth", "init", dir, "--visibility", "own", "--json"]);
    assert.equal(init.code, 0, init.stderr);
    assert.match(await readFile(`${dir}/coordinator.yaml`, "utf8"), /^ {4}visibility: own$/m);
    const added = await runCli(["auth", "add-agent", "s1", "--dir", dir, "--json"]);
    assert.equal(added.code, 0, added.stderr);
    const operator = await runCli(["auth", "add-operator", "ann", "--dir", dir, "--json"]);
    assert.equal(operator.code, 0, operator.stderr);
    const importsOf = async (name: string): Promise<string[]> => {
      const jwt = await readFile(`${dir}/accounts/${name}.jwt`, "utf8");
      const claims: Json = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
      return claims.nats.imports.map(({ subject }: Json) => subject);
    };
    assert.deepEqual(await importsOf("s1"), [
      "agent.s1.tasks.>",
      "agent.s1.sessions.>",
      "agent.s1.task-updates.>",
    ]);
    assert.ok((await importsOf("ann")).includes("task-updates.>"));
    // As docs/security.md says, for those who change their mind.
    const note = (await readFile(`${dir}/auth.json`, "utf8")).replace('"own"', '"all"');
    await writeFile(`${dir}/auth.json`, note);
    const rotated = await runCli(["auth", "rotate", "s1", "--dir", dir, "--json"]);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.ok((await importsOf("s1")).includes("task-updates.>"));
  });

  it("refuses what it does not know", async () => {
    await using home = await TempFolder.create();
    const { code, stderr } = await runCli(["auth", "init", `${home.path}/a`, "--visibility", "no"]);
    assert.equal(code, 2);
    assert.match(stderr, /all, definitions, own/);
  });
});

describe("a command with the credentials of an agent that does not see everything", () => {
  it("says that content is not shown, and that an export lacks it", async () => {
    await using secured = await SecuredServer.start("definitions");
    await using cleanup = new Cleanup();
    await secured.add("s1");
    const ann = await secured.connect(await secured.add("ann", "operator"));
    await serveSecured(secured, cleanup, { "auth.visibility": "definitions" });
    await ask(ann, "tasks.create.a", { payload: "secret" });
    const creds = secured.folder.credentialsFile("s1");
    const login = ["--nats", secured.server.url, "--creds", creds];
    const shown = await runCli(["task", "get", "a", ...login]);
    assert.match(shown.stdout, /^ *content +not shown to this agent$/m);
    const exported = await runCli(["export", ...login]);
    assert.match(exported.stderr, /: 1 without content, which this agent may not see$/m);
    assert.doesNotMatch(shown.stdout + exported.stdout, /secret/);
  });
});
