/** What a worker notices about the NATS server: that it asks nobody who they are, and imports that are too wide. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importProblem, openServerWarning, updatesProblem } from "../../src/nats/unsafe-access.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { loadConfig } from "../../src/config.ts";
import type { Fact } from "../../src/service/ports.ts";
import { TestServer } from "../support/nats-server.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { startWorker } from "../support/secured-worker.ts";

describe("a NATS server that asks for no credentials", () => {
  const { nats } = loadConfig({ env: {} });

  it("is a reason to warn if others can reach it", () => {
    for (const host of ["0.0.0.0", "::", "10.0.0.5", "nats-1"]) {
      assert.match(openServerWarning(nats, host) ?? "", /asks for no credentials.*auth init/);
    }
    for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) {
      assert.equal(openServerWarning(nats, host), null, host);
    }
    for (const login of [
      { username: "u" },
      { token: "t" },
      { credsFile: "c" },
      { certFile: "c" },
    ]) {
      assert.equal(openServerWarning({ ...nats, ...login }, "0.0.0.0"), null);
    }
  });
});

describe("an import", () => {
  it("is safe if it names one principal, or is a stream", () => {
    for (const subject of ["agent.s1.tasks.>", "agent.s1.>", "operator.ann.sessions.>"]) {
      assert.equal(importProblem({ account: "S1", type: "service", subject }), null, subject);
    }
    const updates = { account: "S1", type: "stream", subject: "task-updates.>" };
    assert.equal(importProblem(updates), null);
  });

  it("is unsafe if it lets an account act as others", () => {
    for (const subject of [
      ...["agent.*.tasks.>", "agent.>", "operator.*.tasks.>", "tasks.>", "sessions.>", ">"],
      ...["$JS.API.>", "$KV.tasks.>", "*.s1.tasks.>"],
    ]) {
      const problem = importProblem({ account: "S1", type: "service", subject }) ?? "";
      assert.match(problem, /^the account S1 imports ".*so its users can act as others/, subject);
    }
  });
});

describe("the import of all updates", () => {
  const requests = { account: "S1", type: "service", subject: "agent.s1.tasks.>" };
  const operator = { account: "ANN", type: "service", subject: "operator.ann.tasks.>" };

  it("is a problem in the account of an agent, and in no other", () => {
    for (const subject of [
      ...["task-updates.>", "task-updates.*", ">", "*.>"],
      ...["agent.*.task-updates.>", "agent.s2.task-updates.>", "agent.>"],
    ]) {
      const updates = { type: "stream", subject };
      const ofAgent = [requests, operator, { account: "S1", ...updates }];
      assert.match(
        updatesProblem(ofAgent) ?? "",
        /^the account S1 of an agent imports ".*not its own/,
      );
      const ofOperator = [requests, operator, { account: "ANN", ...updates }];
      assert.equal(updatesProblem(ofOperator), null);
    }
    for (const subject of ["news.>", "agent.s1.task-updates.>"]) {
      assert.equal(updatesProblem([requests, { account: "S1", type: "stream", subject }]), null);
    }
  });
});

const IMPORTS = (subject: string, permissions: string): string => `jetstream: enabled
  system_account: SYS
  accounts {
    SYS { users: [{ user: reports, password: r, permissions: ${permissions} }] }
    C { jetstream: enabled, users: [{ user: worker, password: w }], exports: [
      { service: "agent.*.tasks.>" }, { service: "tasks.>" } ] }
    S1 { users: [{ user: s1, password: s }], imports: [ { service: { account: C, subject: "${subject}" } } ] }
  }`;
const MAY_SEE = `{ publish: "$SYS.REQ.SERVER.PING.ACCOUNTZ"
  subscribe: ["$SYS.ACCOUNT.*.DISCONNECT", "_INBOX.>"] }`;
const MAY_NOT_SEE = `{ publish: { deny: ">" }, subscribe: "$SYS.ACCOUNT.*.DISCONNECT" }`;
const LOGIN = {
  "nats.username": "worker",
  "nats.password": "w",
  "nats.system_username": "reports",
  "nats.system_password": "r",
};

describe("a worker with auth.mode accounts", () => {
  for (const subject of ["agent.*.tasks.>", "tasks.>"]) {
    it(`refuses to start if an account imports ${subject}`, async () => {
      await using server = await TestServer.start({ config: IMPORTS(subject, MAY_SEE) });
      await using cleanup = new Cleanup();
      const settings = { ...LOGIN, "nats.servers": [server.url] };
      await assert.rejects(
        startWorker(cleanup, { ...settings, "auth.mode": "accounts" }),
        /the account S1 imports/,
      );
      // The mode promises nothing else.
      await startWorker(cleanup, { ...settings, "auth.mode": "open" });
    });
  }

  it("refuses to start if an agent imports the updates of all tasks, but may not see them", async () => {
    await using secured = await SecuredServer.start();
    await secured.add("s1");
    await (await secured.connectAs("s1")).flush();
    await using cleanup = new Cleanup();
    const { folder, server } = secured;
    const settings = {
      "nats.servers": [server.url],
      "nats.creds_file": folder.credentialsFile("worker"),
      "nats.system_creds_file": folder.credentialsFile("reports"),
      "auth.mode": "accounts",
    };
    for (const visibility of ["definitions", "own"]) {
      await assert.rejects(
        startWorker(cleanup, { ...settings, "auth.visibility": visibility }),
        /the account s1 of an agent imports "task-updates\.>"/,
      );
    }
    await startWorker(cleanup, settings);
  });

  it("starts if it may not see the imports", async () => {
    await using server = await TestServer.start({ config: IMPORTS("tasks.>", MAY_NOT_SEE) });
    await using cleanup = new Cleanup();
    const facts: Fact[] = [];
    const settings = { ...LOGIN, "nats.servers": [server.url], "auth.mode": "accounts" };
    await startWorker(cleanup, settings, facts);
    assert.ok(facts.some((fact) => fact.kind === "disconnects" && fact.areReported));
  });

  it("starts with the accounts of auth init, and receives the reports of lost connections", async () => {
    await using secured = await SecuredServer.start();
    await secured.add("s1");
    await secured.add("ann", "operator");
    await (await secured.connectAs("s1")).flush();
    await using cleanup = new Cleanup();
    const facts: Fact[] = [];
    await startWorker(
      cleanup,
      {
        "nats.servers": [secured.server.url],
        "nats.creds_file": secured.folder.credentialsFile("worker"),
        "nats.system_creds_file": secured.folder.credentialsFile("reports"),
        "auth.mode": "accounts",
      },
      facts,
    );
    assert.ok(facts.some((fact) => fact.kind === "disconnects" && fact.areReported));
  });
});
