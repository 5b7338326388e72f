/** Hooks ask the MCP server of the agent, and the coordinator itself if the server does not answer. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Cleanup } from "../../../src/cleanup.ts";
import type { Believed } from "../../../src/cli/mcp/claims-file.ts";
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
    return await Agent.startIn(path, SESSION, [temp]);
  }

  /** @param used is disposed of when the server of the agent has ended */
  static async startIn(
    temp: string,
    session = SESSION,
    used: readonly AsyncDisposable[] = [],
  ): Promise<Agent> {
    const coordinator = await TestCoordinator.start({ settings: { retention_seconds: 1 } });
    const env = { TMPDIR: temp, IF_COORDINATOR_SESSION: session };
    const mcp = await McpClient.start({ url: coordinator.server.url, env });
    const agent = new Agent(coordinator, mcp, env);
    for (const one of [...used, coordinator, mcp]) agent.use(one);
    await coordinator.ok("tasks.create.a");
    await mcp.call("next_task");
    return agent;
  }

  folder(name: string): string {
    return join(this.env.TMPDIR ?? "", FOLDER, name);
  }

  /** As written for hooks. */
  async readClaims(): Promise<Partial<Believed> & Pick<Believed, "claims">> {
    return JSON.parse(await readFile(this.#claimsFile(), "utf8")) as Believed;
  }

  async changeClaims(changes: Partial<Believed>): Promise<void> {
    const file = JSON.stringify({ ...(await this.readClaims()), ...changes });
    await writeFile(this.#claimsFile(), file);
  }

  #claimsFile(): string {
    return join(this.folder("claims"), `${this.env.IF_COORDINATOR_SESSION ?? ""}.json`);
  }

  /** The model does not know it. */
  async loseClaim(): Promise<void> {
    await this.coordinator.ok("tasks.requeue.a");
  }

  async whileServerStops<T>(work: () => Promise<T>): Promise<T> {
    process.kill(this.mcp.pid, "SIGSTOP");
    try {
      return await work();
    } finally {
      process.kill(this.mcp.pid, "SIGCONT");
    }
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
    await agent.loseClaim();
    const push = await agent.whileServerStops(() => agent.hook("pre-push"));
    assert.deepEqual([push.code, push.asks], [2, "coordinator"]);
  });

  it("asks the coordinator where the path of a socket would be too long", async () => {
    await using agent = await Agent.start("long".repeat(25));
    assert.deepEqual(agent.sockets(), []);
    await agent.loseClaim();
    const push = await agent.hook("pre-push");
    assert.deepEqual([push.code, push.asks], [2, "coordinator"]);
  });

  it("asks the coordinator that an option names", async () => {
    await using agent = await Agent.start();
    await using other = await TestCoordinator.start();
    const push = await agent.hook("pre-push", "--nats", other.server.url);
    assert.deepEqual([push.code, push.asks], [2, "coordinator"], "it has no such task");
  });

  it("believes no other agent's server", async () => {
    await using agent = await Agent.start();
    await using other = await Agent.startIn(agent.env.TMPDIR ?? "", "s2");
    await agent.loseClaim();
    const { socket } = await other.readClaims();
    await agent.changeClaims({ socket });
    const push = await agent.hook("pre-push");
    assert.deepEqual([push.code, push.asks], [2, "coordinator"]);
  });

  it("refuses the push for a task that was removed", async () => {
    await using agent = await Agent.start();
    await agent.loseClaim();
    await agent.coordinator.ok("tasks.cancel.a");
    await agent.coordinator.fact("task_removed", ({ taskId }) => taskId === "a", 0);
    const push = await agent.hook("pre-push");
    assert.deepEqual([push.code, push.asks], [2, "server"]);
  });

  it("does not refuse a push for a claim that the agent ends meanwhile", async () => {
    await using agent = await Agent.start();
    const claims = [{ task_id: "a", attempt: 1, session_id: SESSION }];
    const socket = join(agent.env.TMPDIR ?? "", "server");
    await using server = createServer({ allowHalfOpen: true }, (connection) => {
      connection.resume().on("end", () => {
        void agent.changeClaims({ claims: [] }).then(() => {
          connection.end(JSON.stringify([{ ...claims[0], holds: false, holder: null }]));
        });
      });
    }).listen(socket);
    await once(server, "listening");
    await agent.changeClaims({ socket });
    assert.deepEqual(await agent.hook("pre-push"), { code: 0, asks: "server", text: "" });
  });

  it("keeps the claims at the end of a session if nobody takes them back", async () => {
    await using agent = await Agent.start();
    await agent.coordinator.server.kill();
    assert.equal((await agent.hook("session-end")).code, 0);
    assert.equal((await agent.readClaims()).claims.length, 1);
  });

  it("knows the claims where there can be no socket", async () => {
    await using temp = await TempFolder.create();
    await mkdir(join(temp.path, FOLDER), { mode: 0o700 });
    await writeFile(join(temp.path, FOLDER, "sockets"), "");
    await using agent = await Agent.startIn(temp.path);
    await agent.loseClaim();
    assert.equal((await agent.hook("pre-push")).code, 2);
  });

  it("does not wait for long when nobody says anything", async () => {
    await using agent = await Agent.start();
    const introduction = 'INFO {"version":"2.11.16","headers":true,"max_payload":1048576}\r\n';
    await using slow = createServer((socket) => {
      socket.resume();
      setTimeout(() => socket.write(introduction), 900).unref();
    }).listen(0);
    await once(slow, "listening");
    const { port } = slow.address() as AddressInfo;
    await agent.changeClaims({ servers: `nats://127.0.0.1:${port}` });
    const since = performance.now();
    const push = await agent.whileServerStops(() => agent.hook("pre-push"));
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
