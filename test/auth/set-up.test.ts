/** The set-up on a real NATS server: who is let in, and when. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { AuthorizationError, type NatsConnection } from "@nats-io/transport-node";
import { AuthFolder } from "../../src/auth/auth-folder.ts";
import { initSetUp } from "../../src/auth/init-set-up.ts";
import { DEFAULT_LIMITS } from "../../src/auth/limits.ts";
import {
  addPrincipal,
  allAccounts,
  listPrincipals,
  revokePrincipal,
  rotateCredentials,
} from "../../src/auth/principals.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const now = (): number => Math.floor(Date.now() / 1000);
const LISTEN = { server: "nats://127.0.0.1:1", host: "127.0.0.1", port: 1, tlsFor: null };
const AGENT = { role: "agent", limits: DEFAULT_LIMITS } as const;

/** Answers with the subject of the request, as a worker sees it. */
function echo(worker: NatsConnection): void {
  worker.subscribe(">", {
    callback: (_, message) => {
      if (!message.subject.startsWith("_")) message.respond(message.subject);
    },
  });
}

async function asked(connection: NatsConnection, subject: string): Promise<string> {
  return (await connection.request(subject, "", { timeout: 5_000 })).string();
}

describe("the folder of a secured set-up", () => {
  it(
    "lets only its owner read keys and credentials",
    { skip: process.platform === "win32" },
    async () => {
      await using home = await TempFolder.create();
      const folder = await initSetUp(`${home.path}/auth`, LISTEN);
      const mode = async (name: string): Promise<string> =>
        ((await stat(folder.file(name))).mode & 0o777).toString(8);
      for (const name of ["", "keys", "creds", "accounts", "jwt"]) {
        assert.equal(await mode(name), "700", name);
      }
      for (const name of ["keys/issuer.nk", "keys/coordinator.nk", "creds/worker.creds"]) {
        assert.equal(await mode(name), "600", name);
      }
    },
  );

  it("is not made twice", async () => {
    await using home = await TempFolder.create();
    await initSetUp(`${home.path}/auth`, LISTEN);
    await assert.rejects(initSetUp(`${home.path}/auth`, LISTEN), /has a set-up already/);
    await assert.rejects(initSetUp(home.path, LISTEN), /is not empty: choose another folder/);
  });

  it("names a file that is damaged, and what to do", async () => {
    await using home = await TempFolder.create();
    const folder = await initSetUp(`${home.path}/auth`, LISTEN);
    const { signed } = await addPrincipal(folder, { name: "s1", ...AGENT });
    const other = await initSetUp(`${home.path}/other`, LISTEN);
    for (const text of ["garbage", (await other.account("system")) ?? ""]) {
      await folder.replaceAccount("s1", text);
      const problem = /accounts\/s1\.jwt is damaged \(.*\): restore it, for example from .*\/jwt,/;
      await assert.rejects(listPrincipals(folder), problem);
      await assert.rejects(rotateCredentials(folder, "s1", now()), problem);
    }
    await folder.replaceAccount("s1", signed.jwt);
    for (const key of ["s1", "issuer"]) {
      await writeFile(folder.file("keys", `${key}.nk`), "garbage");
      const problem = new RegExp(`keys/${key}\\.nk is damaged \\(.*\\): restore it from a backup`);
      const use = key === "s1" ? folder.key(key) : AuthFolder.open(folder.path);
      await assert.rejects(use, problem);
    }
  });

  it("refuses a name that is taken, reserved, or more than one token", async () => {
    await using home = await TempFolder.create();
    const folder = await initSetUp(`${home.path}/auth`, LISTEN);
    await addPrincipal(folder, { name: "s1", ...AGENT });
    for (const [name, problem] of [
      ["s1", /there is a principal s1 already: "auth rotate s1"/],
      ["worker", /"worker" is reserved/],
      ["System", /is reserved/],
      ["a.b", /cannot be the name of a principal/],
      ["*", /cannot be the name of a principal/],
      ["../s2", /cannot be the name of a principal/],
      ["", /cannot be the name of a principal/],
    ] as const) {
      await assert.rejects(addPrincipal(folder, { name, ...AGENT }), problem);
    }
    assert.equal((await listPrincipals(folder)).length, 1);
  });

  it("gives a name to one of two commands that add it at the same time", async () => {
    await using home = await TempFolder.create();
    const folder = await initSetUp(`${home.path}/auth`, LISTEN);
    const added = await Promise.allSettled(
      [1, 2, 3].map(() => addPrincipal(folder, { name: "s1", ...AGENT })),
    );
    assert.equal(added.filter(({ status }) => status === "fulfilled").length, 1);
    // The key that is kept is that of the account.
    await rotateCredentials(folder, "s1", now());
  });
});

describe("a server with a secured set-up", () => {
  it("refuses clients without credentials", async () => {
    await using secured = await SecuredServer.start();
    await assert.rejects(secured.server.connect({ reconnect: false }), AuthorizationError);
  });

  it("serves a new agent at its first request, under its name", async () => {
    await using secured = await SecuredServer.start();
    echo(await secured.connectAs("worker"));
    const alice = await secured.connect(await secured.add("alice"));
    const ann = await secured.connect(await secured.add("ann", "operator"));
    assert.equal(await asked(alice, "tasks.claim.a"), "agent.alice.tasks.claim.a");
    assert.equal(await asked(alice, "sessions.list"), "agent.alice.sessions.list");
    assert.equal(await asked(ann, "tasks.requeue.a"), "operator.ann.tasks.requeue.a");
    for (const subject of ["agent.bob.tasks.stats", "operator.alice.tasks.stats", "anything"]) {
      await assert.rejects(asked(alice, subject), /no responders/, subject);
    }
  });

  it("serves an agent that was added while it did not run", async () => {
    await using secured = await SecuredServer.start();
    await secured.server.stop();
    const { signed, credentials } = await addPrincipal(secured.folder, { name: "alice", ...AGENT });
    assert.match((await secured.push(signed)) ?? "", /refused/);
    await secured.folder.giveToServer(signed.account, signed.jwt);
    await secured.server.restart();
    echo(await secured.connectAs("worker"));
    const alice = await secured.connect(credentials);
    assert.equal(await asked(alice, "tasks.stats"), "agent.alice.tasks.stats");
  });

  it("refuses an agent that was revoked while it did not run", async () => {
    await using secured = await SecuredServer.start();
    const credentials = await secured.add("alice");
    await secured.server.stop();
    const { account, jwt } = await revokePrincipal(secured.folder, "alice", now());
    await secured.folder.giveToServer(account, jwt);
    await secured.server.restart();
    await assert.rejects(secured.connect(credentials, { reconnect: false }), AuthorizationError);
  });

  it("cuts off an agent that is revoked, also after a restart, and no other", async () => {
    await using secured = await SecuredServer.start();
    const old = await secured.add("alice");
    const alice = await secured.connect(old, { reconnect: false });
    const bob = await secured.connect(await secured.add("bob"), { reconnect: false });
    const closed = alice.closed();
    await secured.push(await revokePrincipal(secured.folder, "alice", now()));
    await closed;
    await assert.rejects(secured.connect(old, { reconnect: false }), AuthorizationError);
    await bob.flush();
    await secured.server.stop();
    await secured.server.restart();
    await assert.rejects(secured.connect(old, { reconnect: false }), AuthorizationError);
    assert.equal(await secured.folder.credentials("alice"), null);
    // The name can be given to another one, and the old credentials stay refused.
    const renewed = await secured.connect(await secured.add("alice"), { reconnect: false });
    await renewed.flush();
    await assert.rejects(secured.connect(old, { reconnect: false }), AuthorizationError);
  });

  for (const name of ["alice", "worker", "admin", "reports"]) {
    it(`accepts the new credentials of ${name} after a rotation, and cuts off the old ones`, async () => {
      await using secured = await SecuredServer.start();
      const alice = await secured.add("alice");
      const old = (await secured.folder.credentials(name)) ?? "";
      const before = await secured.connect(old, { reconnect: false });
      const closed = before.closed();
      const { signed, credentials } = await rotateCredentials(secured.folder, name, now());
      await secured.folder.keepCredentials(name, credentials);
      await secured.push(signed);
      await closed;
      await assert.rejects(secured.connect(old, { reconnect: false }), AuthorizationError);
      await (await secured.connect(credentials)).flush();
      await secured.server.stop();
      await secured.server.restart();
      await assert.rejects(secured.connect(old, { reconnect: false }), AuthorizationError);
      if (name === "alice") return;
      await (await secured.connect(alice)).flush();
      await secured.add("bob");
    });
  }

  it("holds an agent to its limits", async () => {
    await using secured = await SecuredServer.start();
    const limits = { connections: 2, subscriptions: 5, payload: 1_000 };
    const credentials = await secured.add("alice", "agent", limits);
    const first = await secured.connect(credentials, { reconnect: false });
    assert.equal(first.info?.max_payload, 1_000);
    await secured.connect(credentials);
    // The server closes the connection before it has read the greeting, so the error can be that of a socket.
    await assert.rejects(secured.connect(credentials, { reconnect: false }));
    const errors = once(AbortSignal.timeout(10_000), "abort");
    const closed = first.closed();
    for (let i = 0; i < 6; i++) first.subscribe(`s.${i}`);
    const told = (async () => {
      for await (const status of first.status()) if (status.type === "error") return status.error;
      return null;
    })();
    const error = await Promise.race([told, closed, errors]);
    assert.match(String(error), /subscription/i);
    const [principal] = await listPrincipals(secured.folder);
    assert.deepEqual(principal?.limits, limits);
  });

  it("takes all accounts again, in any order and as often as one likes", async () => {
    await using secured = await SecuredServer.start();
    await secured.add("alice");
    const accounts = await allAccounts(secured.folder);
    assert.deepEqual(
      accounts.map(({ name }) => name),
      ["alice", "coordinator", "system"],
    );
    assert.equal(await secured.push(...accounts), null);
    assert.equal(await secured.push(...accounts.reverse()), null);
    await (await secured.connectAs("alice")).flush();
  });

  it("lets in nobody whose account another issuer has signed", async () => {
    await using secured = await SecuredServer.start();
    await using other = await TempFolder.create();
    const folder = await initSetUp(`${other.path}/auth`, LISTEN);
    const { signed, credentials } = await addPrincipal(folder, { name: "mallory", ...AGENT });
    // The server keeps any account that an administrator gives it, and trusts only those of its issuer.
    await secured.push(signed);
    await assert.rejects(secured.connect(credentials, { reconnect: false }), AuthorizationError);
  });
});
