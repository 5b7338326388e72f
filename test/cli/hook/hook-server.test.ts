/** Hooks ask the MCP server of the agent, and the coordinator itself if the server does not answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Cleanup } from "../../../src/cleanup.ts";
import { loadedModules } from "../../support/loaded-modules.ts";
import { McpClient } from "../../support/mcp-client.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

const FOLDER = `if-coordinator-${process.getuid?.() ?? "user"}`;
const SESSION = "s1";

/** An agent that holds the task `a`. */
class Agent extends Cleanup {
  readonly coordinator: TestCoordinator;
  readonly mcp: McpClient;
  readonly env: Readonly<Record<string, string>>;

  private constructor(coordinator: TestCoordinator, mcp: McpClient, env: Agent["env"]) {
    super();
    this.coordinator = coordinator;
    this.mcp = mcp;
    this.env = env;
  }

  /** @param below a folder in the temporary one, in which everything is */
  static async start(below = ""): Promise<Agent> {
    const temp = await TempFolder.create();
    const path = join(temp.path, below);
    await mkdir(path, { recursive: true });
    const agent = await Agent.startIn(path);
    agent.defer(() => temp[Symbol.asyncDispose]());
    return agent;
  }

  static async startIn(temp: string, session = SESSION): Promise<Agent> {
    const coordinator = await TestCoordinator.start();
    const env = { TMPDIR: temp, IF_COORDINATOR_SESSION: session };
    const mcp = await McpClient.start({ url: coordinator.server.url, env });
    const agent = new Agent(coordinator, mcp, env);
    for (const used of [coordinator, mcp]) agent.use(used);
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    return agent;
  }

  folder(name: string): string {
    return join(this.env.TMPDIR ?? "", FOLDER, name);
  }

  sockets(): string[] {
    const folder = this.folder("sockets");
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  }

  /** Its exit code, what it says, and whether it loaded a package: then it has asked the coordinator itself. */
  async hook(...event: string[]) {
    const { code, stdout, stderr, modules } = await loadedModules(["hook", ...event], this.env);
    const asks = modules.some((url) => url.includes("node_modules")) ? "coordinator" : "server";
    return { code, asks, text: stdout + stderr };
  }
}

function replyTo(socket: string, question: string): Promise<string> {
  return new Promise((resolve) => {
    let reply = "";
    const connection = connect(socket).on("error", () => undefined);
    connection.on("data", (part) => (reply += part.toString()));
    connection.on("close", () => {
      resolve(reply);
    });
    connection.end(question);
  });
}

describe("a hook of an agent with a claim", () => {
  it("loads no package while the server of the agent runs", async () => {
    await using agent = await Agent.start();
    const start = await agent.hook("session-start");
    assert.deepEqual([start.code, start.asks], [0, "server"]);
    assert.match(start.text, /You hold a#1\./);
    assert.deepEqual(await agent.hook("pre-push"), { code: 0, asks: "server", text: "" });
    const stop = await agent.hook("stop");
    assert.deepEqual([stop.code, stop.asks], [2, "server"]);
    await agent.coordinator.ok("tasks.requeue.a");
    await agent.coordinator.ok("tasks.claim.a", { session_id: "s2" });
    const push = await agent.hook("pre-push");
    assert.deepEqual([push.code, push.asks], [2, "server"]);
    assert.match(push.text, /a#1 is no longer yours: s2 holds the task/);
  });

  it("gives the task back through the server of the agent", async () => {
    await using agent = await Agent.start();
    assert.deepEqual(await agent.hook("session-end"), { code: 0, asks: "server", text: "" });
    const { task } = await agent.coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.failures, task.lost_leases], ["available", 0, 0]);
  });

  it("asks the coordinator when the server was killed", async () => {
    await using agent = await Agent.start();
    process.kill(agent.mcp.pid, "SIGKILL");
    await agent.mcp.closed;
    assert.equal(agent.sockets().length, 1, "the killed server has left it");
    await agent.coordinator.ok("tasks.requeue.a");
    const push = await agent.hook("pre-push");
    assert.deepEqual([push.code, push.asks], [2, "coordinator"]);
    assert.match(push.text, /a#1 is no longer yours: nobody holds the task/);
  });

  it("asks the coordinator when the server does not go on", async () => {
    await using agent = await Agent.start();
    process.kill(agent.mcp.pid, "SIGSTOP");
    try {
      assert.deepEqual(await agent.hook("pre-push"), { code: 0, asks: "coordinator", text: "" });
    } finally {
      process.kill(agent.mcp.pid, "SIGCONT");
    }
  });

  it("asks the coordinator where the path of a socket would be too long", async () => {
    await using agent = await Agent.start("long".repeat(25));
    assert.deepEqual(agent.sockets(), []);
    assert.deepEqual(await agent.hook("pre-push"), { code: 0, asks: "coordinator", text: "" });
  });

  it("asks the coordinator that an option names", async () => {
    await using agent = await Agent.start();
    const { url } = agent.coordinator.server;
    const push = await agent.hook("pre-push", "--nats", url);
    assert.deepEqual([push.code, push.asks], [0, "coordinator"]);
  });

  it("believes no other agent's server", async () => {
    await using agent = await Agent.start();
    await using other = await Agent.startIn(agent.env.TMPDIR ?? "", "s2");
    await other.coordinator.ok("tasks.requeue.a");
    const file = (session: string): string => join(agent.folder("claims"), `${session}.json`);
    const claims = await readFile(file(SESSION), "utf8");
    const { socket } = JSON.parse(await readFile(file("s2"), "utf8")) as { socket: string };
    await writeFile(file(SESSION), JSON.stringify({ ...JSON.parse(claims), socket }));
    assert.deepEqual(await agent.hook("pre-push"), { code: 0, asks: "coordinator", text: "" });
  });

  it("knows the claims where there can be no socket", async () => {
    await using temp = await TempFolder.create();
    await mkdir(join(temp.path, FOLDER), { mode: 0o700 });
    await writeFile(join(temp.path, FOLDER, "sockets"), "");
    await using agent = await Agent.startIn(temp.path);
    await agent.coordinator.ok("tasks.requeue.a");
    assert.equal((await agent.hook("pre-push")).code, 2);
  });

  it("does not wait for long when nobody says anything", async () => {
    await using agent = await Agent.start();
    process.kill(agent.mcp.pid, "SIGSTOP");
    const introduction = 'INFO {"version":"2.11.16","headers":true,"max_payload":1048576}\r\n';
    await using silent = createServer((socket) => socket.resume().write(introduction)).listen(0);
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const file = join(agent.folder("claims"), `${SESSION}.json`);
    const claims = JSON.parse(await readFile(file, "utf8")) as object;
    await writeFile(file, JSON.stringify({ ...claims, servers: `nats://127.0.0.1:${port}` }));
    const since = performance.now();
    const push = await agent.hook("pre-push");
    process.kill(agent.mcp.pid, "SIGCONT");
    assert.deepEqual([push.code, push.text], [0, ""]);
    // The plugins let a hook run for 5 s.
    assert.ok(performance.now() - since < 4_500);
  });

  it("lets everything pass when neither the server nor the hook reaches a coordinator", async () => {
    await using agent = await Agent.start();
    await agent.coordinator.server.kill();
    const push = await agent.hook("pre-push");
    assert.deepEqual([push.code, push.text], [0, ""]);
  });
});

describe("the socket of an agent's server", () => {
  it("is there while the agent holds a claim, for its user alone", async () => {
    await using agent = await Agent.start();
    const [socket = ""] = agent.sockets();
    assert.equal(statSync(join(socket, "..")).mode & 0o777, 0o700);
    await agent.mcp.call("finish_task", { claim: "a#1", outcome: "done" });
    assert.deepEqual(agent.sockets(), []);
    await agent.coordinator.ok("tasks.create.b");
    await agent.mcp.call("next_task");
    assert.equal(agent.sockets().length, 1);
    await agent.mcp[Symbol.asyncDispose]();
    assert.deepEqual(agent.sockets(), []);
  });

  it("gives no answer to what is no question, and answers others after it", async () => {
    await using agent = await Agent.start();
    const [socket = ""] = agent.sockets();
    const claim = { task_id: "a", attempt: 1, session_id: SESSION };
    const right = JSON.stringify({ kind: "verify", claims: [claim] });
    const answer = JSON.stringify([{ ...claim, holds: true, holder: SESSION }]);
    const questions = [
      "",
      "{",
      "null",
      '{"kind":"verify"}',
      right.replace("verify", "toString"),
      right.replace('"a"', "7"),
      right.replace('"a"', '"b"'),
      right + " ".repeat(1_000_000),
    ];
    for (const question of questions) {
      assert.equal(await replyTo(socket, question), "", question.slice(0, 80));
    }
    assert.equal(await replyTo(socket, right), answer);
  });

  it("closes a connection over which nothing comes", async () => {
    await using agent = await Agent.start();
    const [socket = ""] = agent.sockets();
    const connection = connect(socket);
    await once(connection, "close");
  });
});

describe("a hook of an agent without a claim", () => {
  it("loads no package", async () => {
    await using temp = await TempFolder.create();
    const env = { TMPDIR: temp.path, NATS_URL: "nats://127.0.0.1:9" };
    for (const event of ["session-start", "pre-tool-use", "stop", "session-end", "pre-push"]) {
      const { code, modules } = await loadedModules(["hook", event], env);
      assert.deepEqual([code, modules.filter((url) => url.includes("node_modules"))], [0, []]);
    }
  });
});
