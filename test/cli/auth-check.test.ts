/** `auth check` finds nothing in a secured set-up, and each hole in those that have one. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createUser } from "@nats-io/nkeys";
import { credentialsOf } from "../../src/auth/claims.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { type CliExit, runCli } from "../support/cli-process.ts";
import { TestServer } from "../support/nats-server.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { serveSecured, startWorker } from "../support/secured-worker.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** The attempts that show a hole. */
function holesOf({ stdout }: CliExit): string[] {
  const { attempts }: Json = JSON.parse(stdout);
  return attempts.filter(({ ok }: Json) => ok !== true).map(({ attempt }: Json) => attempt);
}

function check(url: string, ...args: string[]): Promise<CliExit> {
  return runCli(["auth", "check", "--nats", url, ...args]);
}

const AS_OTHER = [
  "claim a task as another session",
  "complete a task of another session",
  "renew another session",
  "end another session",
];
const AS_OPERATOR = ["requeue a task, as an operator", "import tasks, as an operator"];
const BETWEEN = [
  "overhear the requests of the other one",
  "send an update to the other one",
  "answer a request of the other one",
];

describe("auth check", () => {
  it("finds nothing with the credentials of an agent or operator", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await serveSecured(secured, cleanup);
    for (const name of ["s1", "s2"]) await secured.add(name);
    await secured.add("ann", "operator");
    const { url } = secured.server;
    const [s1, s2, ann] = ["s1", "s2", "ann"].map((name) => secured.folder.credentialsFile(name));
    const agent = await check(url, "--creds", s1 ?? "", "--other", s2 ?? "");
    assert.equal(agent.code, 0, agent.stdout + agent.stderr);
    assert.match(agent.stdout, /^✔ connect without credentials +refused$/m);
    assert.match(agent.stdout, /^✔ claim a task as another session +refused: forbidden$/m);
    assert.match(agent.stdout, /^✔ send as another agent +refused: nobody listens$/m);
    assert.match(agent.stdout, /^✔ read a bucket +refused: no JetStream in this account$/m);
    assert.match(agent.stdout, /^Everything is as it should be\.$/m);
    assert.doesNotMatch(agent.stdout, /✘/);
    const operator = ["--creds", ann ?? "", "--role", "operator", "--other", s1 ?? ""];
    assert.deepEqual(holesOf(await check(url, ...operator, "--json")), []);
    // The rights of an operator are a hole for an agent.
    const wrong = await check(url, "--creds", ann ?? "", "--json");
    assert.equal(wrong.code, 1);
    assert.deepEqual(holesOf(wrong), [...AS_OTHER, ...AS_OPERATOR]);
  });

  it("finds that the account of the workers reaches everything", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await serveSecured(secured, cleanup);
    const worker = secured.folder.credentialsFile("worker");
    const holes = holesOf(await check(secured.server.url, "--creds", worker, "--json"));
    for (const hole of [
      "reach the coordinator",
      "send as another agent",
      "send as an operator",
      "see the workers",
      "reach JetStream",
      "read a bucket",
      "read a bucket directly",
      "write to a bucket",
    ]) {
      assert.ok(holes.includes(hole), hole);
    }
  });

  it("finds two agents that share an account", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await serveSecured(secured, cleanup);
    await secured.add("s1");
    const key = await secured.folder.key("s1");
    assert.ok(key !== null);
    const second = join(secured.folder.path, "second.creds");
    await writeFile(second, await credentialsOf("s1b", createUser(), key));
    const args = ["--creds", secured.folder.credentialsFile("s1"), "--other", second, "--json"];
    const result = await check(secured.server.url, ...args);
    assert.equal(result.code, 1);
    assert.deepEqual(holesOf(result), BETWEEN);
  });

  it("finds that an open coordinator protects nothing, and changes nothing there", async () => {
    await using coordinator = await TestCoordinator.start();
    const result = await check(coordinator.server.url, "--json");
    assert.equal(result.code, 1);
    const holes = holesOf(result);
    for (const hole of ["connect without credentials", ...AS_OTHER, ...AS_OPERATOR]) {
      assert.ok(holes.includes(hole), hole);
    }
    assert.deepEqual((await coordinator.ok("tasks.list")).tasks, []);
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    const text = await check(coordinator.server.url);
    assert.match(text.stdout, /^ +→ give the principal an account of its own/m);
    assert.match(text.stdout, /attempts of \d+ show a hole\.$/m);
  });

  for (const [what, imports, mode, expected] of [
    [
      "the subjects of all agents",
      `{ service: { account: C, subject: "agent.s1.tasks.>" }, to: "tasks.>" }
       { service: { account: C, subject: "agent.s1.sessions.>" }, to: "sessions.>" }
       { service: { account: C, subject: "agent.*.tasks.>" } }`,
      "accounts",
      ["send as another agent"],
    ],
    [
      "the plain subjects",
      `{ service: { account: C, subject: "tasks.>" } }
       { service: { account: C, subject: "sessions.>" } }`,
      "open",
      [...AS_OTHER, ...AS_OPERATOR],
    ],
    [
      "the plain subjects, of a coordinator that serves accounts only",
      `{ service: { account: C, subject: "tasks.>" } }
       { service: { account: C, subject: "sessions.>" } }`,
      "accounts",
      ["reach the coordinator"],
    ],
    [
      "the API of JetStream",
      `{ service: { account: C, subject: "agent.s1.tasks.>" }, to: "tasks.>" }
       { service: { account: C, subject: "agent.s1.sessions.>" }, to: "sessions.>" }
       { service: { account: C, subject: "$JS.API.>" } }`,
      "accounts",
      ["reach JetStream", "read a bucket", "read a bucket directly"],
    ],
  ] as const) {
    it(`finds an account that imports ${what}`, async () => {
      await using server = await TestServer.start({
        config: `jetstream: enabled
          accounts {
            C { jetstream: enabled, users: [{ user: worker, password: "w" }], exports: [
              { service: "tasks.>" }, { service: "sessions.>" }, { service: "$JS.API.>" }
              { service: "agent.*.tasks.>" }, { service: "agent.*.sessions.>" } ] }
            S1 { users: [{ user: s1, password: "s" }], imports: [ ${imports} ] }
          }`,
      });
      await using cleanup = new Cleanup();
      await startWorker(cleanup, {
        "nats.servers": [server.url],
        "nats.username": "worker",
        "nats.password": "w",
        "auth.mode": mode,
      });
      const result = await check(server.url, "--user", "s1", "--password", "s", "--json");
      assert.deepEqual(holesOf(result), expected);
      assert.equal(result.code, 1);
    });
  }
});
