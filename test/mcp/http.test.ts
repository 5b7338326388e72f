/** Agents over HTTP: many on one server, with a token, and only from this machine. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { describe, it } from "node:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { CliProcess, runCli } from "../support/cli-process.ts";
import { PROTOCOLS, type ProtocolAge } from "../support/mcp-client.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const TOKEN = "a-secret-of-the-test";

async function connect(url: string, age: ProtocolAge, session?: string): Promise<Client> {
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    ...(session === undefined ? {} : { "if-coordinator-session": session }),
  };
  const client = new Client(
    { name: "test", version: "1" },
    { versionNegotiation: { mode: age === "old" ? "legacy" : { pin: "2026-07-28" } } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  return client;
}

/** The status of a request with these headers. */
function statusOf(url: string, headers: Record<string, string>, method = "POST"): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: { "content-type": "application/json", ...headers },
    });
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end(method === "GET" ? undefined : "{}");
  });
}

function start(coordinator: TestCoordinator, env: Record<string, string>): CliProcess {
  const args = ["mcp", "--http", "0", "--nats", coordinator.server.url, "--session", "shared"];
  return new CliProcess(args, { env });
}

describe("agents over HTTP", () => {
  for (const age of PROTOCOLS) {
    it(`have sessions of their own, and wait with progress, with the ${age} protocol`, async () => {
      await using coordinator = await TestCoordinator.start();
      await using cli = start(coordinator, { IF_COORDINATOR_MCP_TOKEN: TOKEN });
      const [, url = ""] = await cli.waitFor(/serves agents at (\S+)/);
      const [one, two] = [await connect(url, age, "s1"), await connect(url, age, "s2")];
      for (const id of ["a", "b"]) await coordinator.ok(`tasks.create.${id}`);
      await one.callTool({ name: "next_task" });
      await two.callTool({ name: "next_task" });
      const holders = [];
      for (const id of ["a", "b"]) {
        holders.push((await coordinator.ok(`tasks.get.${id}`)).task.claimed_by);
      }
      assert.deepEqual(holders, ["s1", "s2"]);
      const refused = await two.callTool({
        name: "finish_task",
        arguments: { claim: "a#1", outcome: "done" },
      });
      assert.equal(refused.isError, true);
      const progress: object[] = [];
      const waited = await one.callTool(
        { name: "next_task", arguments: { wait_seconds: 6 } },
        { onprogress: (one) => progress.push(one) },
      );
      assert.equal((waited.structuredContent as { status: string }).status, "none");
      assert.deepEqual(progress, [{ progress: 5, total: 6, message: "waiting" }]);
      cli.kill("SIGTERM");
      const { code, stdout } = await cli.exited;
      assert.deepEqual([code, stdout], [0, ""]);
      const { tasks, sessions } = await coordinator.ok("tasks.stats");
      assert.deepEqual([tasks.available, sessions], [2, 0]);
      await Promise.allSettled([one.close(), two.close()]);
    });
  }

  it("need the token, and a request from this machine that no web page has made", async () => {
    await using coordinator = await TestCoordinator.start();
    await using cli = start(coordinator, {});
    const [, url = ""] = await cli.waitFor(/serves agents at (\S+)/);
    const [, token = ""] = await cli.waitFor(/Authorization: Bearer (\S{43})\n/);
    const authorization = `Bearer ${token}`;
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    const { port } = new URL(url);
    assert.equal(await statusOf(url, {}), 401);
    assert.equal(await statusOf(url, { authorization: "Bearer wrong" }), 401);
    assert.equal(await statusOf(url, { authorization, host: `evil.example:${port}` }), 403);
    assert.equal(await statusOf(url, { authorization, origin: "https://evil.example" }), 403);
    assert.equal(await statusOf(url.replace(/mcp$/, "other"), { authorization }), 404);
    assert.equal(await statusOf(url, { authorization }), 400);
    assert.equal(await statusOf(url, { authorization }, "GET"), 405);
    assert.equal(await statusOf(url, { authorization, "if-coordinator-session": "a b" }), 400);
  });

  it("are refused on addresses that others can reach", async () => {
    for (const address of ["0.0.0.0:7400", "host:7400", "70000", "x", ":1"]) {
      const { code, stderr } = await runCli(["mcp", "--http", address]);
      assert.equal(code, 2);
      assert.match(stderr, /--http/);
    }
  });
});
