/** The sample configuration for those who write accounts by hand, on a real server. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../../src/cleanup.ts";
import type { OverrideValues } from "../../src/config.ts";
import type { Fact } from "../../src/service/ports.ts";
import { runCli } from "../support/cli-process.ts";
import { read } from "../support/markdown.ts";
import { TestServer } from "../support/nats-server.ts";
import { startWorker } from "../support/secured-worker.ts";

const SAMPLE = read("config/nats-server.accounts.conf");
const PASSWORDS = SAMPLE.matchAll(/\$(\w+_PASSWORD)\b/g);
const variables = Object.fromEntries(
  Array.from(PASSWORDS, ([, variable = ""]) => [variable, "secret"]),
);

/** With accounts for a worker, the operator ann, and the agents s1 and s2. */
const WORKER: OverrideValues = {
  "nats.username": "worker",
  "nats.password": "secret",
  "nats.system_username": "reports",
  "nats.system_password": "secret",
  "auth.mode": "accounts",
};

async function subjectOf(connection: NatsConnection): Promise<string> {
  return (await connection.request("tasks.stats", "", { timeout: 5_000 })).string();
}

describe("config/nats-server.accounts.conf", () => {
  it("separates agents and operators, and reports lost connections", async () => {
    await using server = await TestServer.start({ config: SAMPLE, variables });
    await using cleanup = new Cleanup();
    const facts: Fact[] = [];
    await startWorker(cleanup, { ...WORKER, "nats.servers": [server.url] }, facts);
    assert.ok(facts.some((fact) => fact.kind === "disconnects" && fact.areReported));
    for (const [user, role] of [
      ["s1", "agent"],
      ["s2", "agent"],
      ["ann", "operator"],
    ] as const) {
      const login = ["--user", user, "--password", "secret", "--role", role];
      const { code, stdout } = await runCli(["auth", "check", "--nats", server.url, ...login]);
      assert.equal(code, 0, stdout);
    }
    const ask = async (user: string, subject: string, body = {}): Promise<unknown> => {
      const connection = await server.connect({ user, pass: "secret" });
      return (await connection.request(subject, JSON.stringify(body))).json<{ ok: boolean }>().ok;
    };
    const s2 = await server.connect({ user: "s2", pass: "secret" });
    const updates = s2.subscribe("task-updates.>", { max: 1 });
    await s2.flush();
    assert.equal(await ask("ann", "tasks.create.a"), true);
    for await (const { subject } of updates) assert.equal(subject, "task-updates.a");
    assert.equal(await ask("s1", "tasks.claim.a", { session_id: "s1" }), true);
    assert.equal(
      await ask("s2", "tasks.release.a", { session_id: "s1", status: "complete" }),
      false,
    );
  });

  it("shows agents their own tasks only, with the import of which its comment speaks", async () => {
    const [, own = ""] = /^ {2}# {3}(\{ stream: .*"agent\.s1\.task-updates.*)$/m.exec(SAMPLE) ?? [];
    const [before = "", ...agents] = SAMPLE.split(/(?=^ {2}S\d \{$)/m);
    const config = agents.reduce((text, agent, i) => {
      const all = '{ stream: { account: COORDINATOR, subject: "task-updates.>" } }';
      return text + agent.replace(all, own.replace("s1", `s${i + 1}`));
    }, before);
    await using server = await TestServer.start({ config, variables });
    await using cleanup = new Cleanup();
    await startWorker(cleanup, {
      ...WORKER,
      "nats.servers": [server.url],
      "auth.visibility": "own",
    });
    const heard: string[] = [];
    const [s1, s2] = [
      await server.connect({ user: "s1", pass: "secret" }),
      await server.connect({ user: "s2", pass: "secret" }),
    ];
    for (const connection of [s1, s2]) {
      connection.subscribe("task-updates.>", {
        callback: (_, { subject }) => {
          heard.push(`${connection === s1 ? "s1" : "s2"} ${subject}`);
        },
      });
      await connection.flush();
    }
    await s1.request("tasks.create.a", "", { timeout: 5_000 });
    await s2.request("tasks.create.b", "", { timeout: 5_000 });
    await s1.flush();
    assert.deepEqual(heard, ["s1 task-updates.a", "s2 task-updates.b"]);
    const login = ["--user", "s1", "--password", "secret"];
    const { code, stdout } = await runCli(["auth", "check", "--nats", server.url, ...login]);
    assert.equal(code, 0, stdout);
  });

  it("serves an account that is added later after two reloads, as its comment says", async () => {
    await using server = await TestServer.start({ config: SAMPLE, variables });
    const worker = await server.connect({ user: "worker", pass: "secret" });
    worker.subscribe("agent.*.tasks.>", {
      callback: (_, message) => {
        message.respond(message.subject);
      },
    });
    await worker.flush();
    const file = join(server.storeDir, "run", "nats-server.conf");
    const config = await readFile(file, "utf8");
    const third = (text: string): string =>
      `${text}\n${text.replaceAll(/\bS2\b/g, "S3").replaceAll("s2", "s3")}`;
    const added = config
      .replace(/^.*accounts: \[S2\].*$/m, third)
      .replace(/^ {2}S2 \{[^]*?\n {2}\}$/m, third);
    await writeFile(file, added);
    // Each time with another connection, because a reload can close one that is made meanwhile.
    const subjectOfS3 = async (): Promise<string> =>
      subjectOf(await server.connect({ user: "s3", pass: "secret", reconnect: false }));
    process.kill(server.pid, "SIGHUP");
    await until(() => assert.rejects(subjectOfS3(), /no responders/));
    process.kill(server.pid, "SIGHUP");
    assert.equal(await until(subjectOfS3), "agent.s3.tasks.stats");
  });
});

/** Tries until it works. */
async function until<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
