/** The sample for those who run their NATS with nsc: its commands, and what the real nsc makes of them. */
import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Account } from "@nats-io/jwt";
import { decode } from "@nats-io/jwt";
import { createAccount, createOperator } from "@nats-io/nkeys";
import { coordinatorAccountJwt, principalAccountJwt } from "../../src/auth/claims.ts";
import { DEFAULT_LIMITS } from "../../src/auth/limits.ts";
import { exportedSubjects, importsOf, type Role } from "../../src/auth/names.ts";
import { SERVICE_USERS } from "../../src/auth/service-users.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { loadConfig } from "../../src/config.ts";
import type { Fact } from "../../src/service/ports.ts";
import { VISIBILITIES } from "../../src/protocol/visibility.ts";
import { runCli } from "../support/cli-process.ts";
import { TestServer } from "../support/nats-server.ts";
import { type NscCall, NscFolder, nscMissing, RecordingNsc } from "../support/nsc.ts";
import { startWorker } from "../support/secured-worker.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** Runs the script with a stand-in for nsc. @returns the calls of nsc */
async function callsOf(
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<NscCall[]> {
  await using home = await TempFolder.create();
  const nsc = await RecordingNsc.create(join(home.path, "bin"));
  await new NscFolder(home.path, variables, [nsc.folder]).run(...words);
  return nsc.calls();
}

function optionsOf(calls: readonly NscCall[], command: string): NscCall["options"][] {
  return calls.filter((call) => call.command === command).map(({ options }) => options);
}

function typeOf(options: NscCall["options"]): string {
  return options.service === true ? "service" : "stream";
}

describe("config/nsc-accounts.sh", { skip: process.platform === "win32" && "needs sh" }, () => {
  it("exports from the account of the workers what auth init exports", async () => {
    const calls = await callsOf(["init"]);
    const exports = optionsOf(calls, "add export");
    assert.deepEqual(
      exports.map((options) => ({ type: typeOf(options), subject: options.subject })),
      exportedSubjects(),
    );
    assert.ok(exports.every(({ account }) => account === "coordinator"));
  });

  it("gives the user of the system account the rights that auth init gives it", async () => {
    const calls = await callsOf(["init"], { SYSTEM_ACCOUNT: "SYSTEM" });
    const user = optionsOf(calls, "add user").find(({ name }) => name === "reports");
    const { pub, sub } = SERVICE_USERS.reports.permissions;
    assert.deepEqual(user, {
      account: "SYSTEM",
      name: "reports",
      "allow-pub": pub.allow.join(","),
      "allow-sub": sub.allow.join(","),
    });
  });

  for (const role of ["agent", "operator"] as const) {
    for (const visibility of VISIBILITIES) {
      it(`imports what auth add-${role} imports with the visibility ${visibility}`, async () => {
        const calls = await callsOf([role, "s1"], { IF_COORDINATOR_AUTH_VISIBILITY: visibility });
        const imports = optionsOf(calls, "add import");
        assert.deepEqual(
          imports.map((options) => ({
            type: typeOf(options),
            subject: options["remote-subject"],
            localSubject: options["local-subject"],
          })),
          importsOf(role, "s1", visibility),
        );
        assert.ok(imports.every((options) => options["src-account"] === "coordinator"));
      });
    }
  }

  it("has the limits of auth add-agent, and pushes the account", async () => {
    const calls = await callsOf(["agent", "s1"], { NATS_URL: "tls://nats-1:4222" });
    const { connections, subscriptions, payload } = DEFAULT_LIMITS;
    assert.deepEqual(optionsOf(calls, "edit account"), [
      {
        name: "s1",
        conns: String(connections),
        subscriptions: String(subscriptions),
        payload: String(payload),
        "leaf-conns": "0",
        exports: "0",
        "wildcard-exports": "false",
      },
    ]);
    assert.deepEqual(calls.at(-1), {
      command: "push",
      options: { account: "s1", "account-jwt-server-url": "tls://nats-1:4222" },
    });
  });

  it("changes nothing for a name that is no token of a subject, or is taken by the set-up", async () => {
    await using home = await TempFolder.create();
    const nsc = await RecordingNsc.create(join(home.path, "bin"));
    const folder = new NscFolder(home.path, {}, [nsc.folder]);
    const long = "a".repeat(65);
    for (const name of ["", "s1.x", "*", "s 1", "é", long, "coordinator", "SYS", "worker"]) {
      for (const command of ["agent", "operator", "revoke"]) {
        await assert.rejects(folder.run(command, name), /nsc-accounts\.sh: "/, name);
      }
    }
    await assert.rejects(folder.run("agent"), /use init, push, agent NAME/);
    await assert.rejects(folder.run(), /use init, push, agent NAME/);
    assert.deepEqual(await readFile(join(nsc.folder, "calls"), "utf8"), "");
  });

  it("does not overwrite a configuration that exists", async () => {
    await using home = await TempFolder.create();
    const nsc = await RecordingNsc.create(join(home.path, "bin"));
    const folder = new NscFolder(home.path, {}, [nsc.folder]);
    await folder.run("init");
    const before = nsc.calls().length;
    await assert.rejects(
      folder.run("init"),
      /nats-server\.conf exists: run init in another folder/,
    );
    assert.equal(nsc.calls().length, before);
  });
});

const missing = nscMissing();
if (missing !== false && process.env.CI !== undefined) {
  // CI accepts no skipped test, but there is no package of nsc that every machine can install.
  console.warn(`The accounts of nsc were compared by its commands only: the test ${missing}`);
} else {
  describe("config/nsc-accounts.sh with the real nsc", { skip: missing }, () => {
    it("makes accounts like those of auth, which auth check accepts", async () => {
      await using home = await TempFolder.create();
      const made = new NscFolder(home.path);
      await made.run("init");
      for (const user of ["worker", "reports"]) {
        const { mode } = await stat(made.file("creds", `${user}.creds`));
        assert.equal(mode & 0o777, 0o600);
      }
      await using server = await TestServer.start({ config: await configIn(made) });
      const folder = new NscFolder(home.path, { NATS_URL: server.url });
      await folder.run("push");
      await using cleanup = new Cleanup();
      const facts: Fact[] = [];
      const { nats, auth } = loadConfig({ env: {}, file: made.file("coordinator.yaml") });
      const settings = {
        "nats.servers": [server.url],
        "nats.creds_file": nats.credsFile ?? "",
        "nats.system_creds_file": nats.systemCredsFile ?? "",
        "auth.mode": auth.mode,
      };
      await startWorker(cleanup, settings, facts);
      assert.ok(facts.some((fact) => fact.kind === "disconnects" && fact.areReported));

      await folder.run("operator", "ann");
      await folder.run("agent", "s1");
      await folder.run("agent", "s2");
      const creds = (name: string): string => folder.file("creds", `${name}.creds`);
      const check = (name: string, role: Role, other: string): Promise<{ code: number | null }> => {
        const login = ["--nats", server.url, "--creds", creds(name)];
        return runCli(["auth", "check", ...login, "--role", role, "--other", creds(other)]);
      };
      assert.equal((await check("s1", "agent", "s2")).code, 0);
      assert.equal((await check("ann", "operator", "s1")).code, 0);

      const coordinator = decode<Account>(await folder.account("coordinator"));
      assert.deepEqual(sharedOf(coordinator.nats), sharedOf(await ownCoordinator()));
      for (const [name, role] of [
        ["s1", "agent"],
        ["ann", "operator"],
      ] as const) {
        const { nats: account } = decode<Account>(await folder.account(name));
        assert.deepEqual(sharedOf(account), sharedOf(await ownPrincipal(name, role)));
        assert.ok(account.imports?.every((imported) => imported.account === coordinator.sub));
      }

      await folder.run("revoke", "s2");
      const refused = await check("s2", "agent", "s1");
      assert.equal(refused.code, 7);
      await assert.rejects(folder.run("agent", "s1"), /already exists/);
    });
  });
}

/** The configuration of the server, as one text. */
async function configIn(folder: NscFolder): Promise<string> {
  const server = await readFile(folder.file("nats-server.conf"), "utf8");
  const resolver = await readFile(folder.file("resolver.conf"), "utf8");
  assert.ok(resolver.includes(`dir: '${folder.file("jwt")}'`));
  assert.match(resolver, /^ *interval: "10s"$/m);
  return server.replace("include resolver.conf", resolver);
}

async function ownCoordinator(): Promise<Partial<Account>> {
  const account = createAccount().getPublicKey();
  return decode<Account>(await coordinatorAccountJwt(account, createOperator())).nats;
}

async function ownPrincipal(name: string, role: Role): Promise<Partial<Account>> {
  const account = createAccount().getPublicKey();
  const rules = { prefixes: [], limits: {} };
  const state = { limits: DEFAULT_LIMITS, rules, isRevoked: false, revocations: {} };
  const coordinator = { account: createAccount().getPublicKey(), visibility: "all" as const };
  const principal = { name, role, account, ...state };
  return decode<Account>(await principalAccountJwt(principal, coordinator, createOperator())).nats;
}

/** What decides what an account may do. nsc leaves out what is 0 or false, and sorts. */
function sharedOf({ imports = [], exports = [], limits = {} }: Partial<Account>): object {
  const { subs = 0, payload = 0, conn = 0, leaf = 0, wildcards = false } = limits;
  const { mem_storage: memory = 0, disk_storage: disk = 0 } = limits;
  return {
    imports: imports
      .map(({ type, subject, local_subject: local }) => `${type} ${subject} as ${local ?? subject}`)
      .sort(),
    exports: exports.map(({ type, subject }) => `${type} ${subject}`).sort(),
    limits: { subs, payload, conn, leaf, exports: limits.exports ?? 0, wildcards, memory, disk },
  };
}
