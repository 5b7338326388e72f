/** Runs the agents in examples/python and examples/go on a real coordinator. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { ChildOutput } from "./support/child-output.ts";
import { ROOT } from "./support/markdown.ts";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

interface Language {
  readonly name: string;
  /** Why the agent cannot run here; `false` if it can. */
  readonly missing: string | false;
  /** Prepares the agent once, such as by a build. */
  prepare(folder: string): void;
  command(folder: string): readonly [string, ...string[]];
}

const LANGUAGES: readonly Language[] = [
  {
    name: "python",
    missing: runs("python3", "-c", "import nats") ? false : "needs python3 with nats-py",
    prepare: () => undefined,
    command: () => ["python3", join(ROOT, "examples/python/agent.py")],
  },
  {
    name: "go",
    missing: runs("go", "version") ? false : "needs go",
    prepare: (folder) => {
      execFileSync("go", ["build", "-o", join(folder, "agent"), "."], {
        cwd: join(ROOT, "examples/go"),
      });
    },
    command: (folder) => [join(folder, "agent")],
  },
];

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

class Agent implements AsyncDisposable {
  readonly output: ChildOutput;
  readonly #child: ChildProcess;

  constructor(
    [command, ...args]: readonly [string, ...string[]],
    natsUrl: string,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.#child = spawn(command, args, {
      env: { ...process.env, NATS_URL: natsUrl, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.output = new ChildOutput(this.#child);
  }

  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-(this.#child.pid ?? 0), "SIGKILL");
    } catch {
      // All its processes have ended.
    }
    await this.output.exited;
  }
}

/** Resolves with the task when it is complete. A request under way when NATS is killed may have to time out. */
async function completed(coordinator: TestCoordinator, taskId: string): Promise<Json> {
  const isComplete = ({ task }: Json): boolean => task.status === "complete";
  for (let tries = 1; ; tries++) {
    try {
      return (await coordinator.until(`tasks.get.${taskId}`, isComplete)).task;
    } catch (error) {
      if (tries === MAX_TRIES_OF_A_TASK) throw error;
    }
  }
}
const MAX_TRIES_OF_A_TASK = 4;

/** Resolves when requests are answered again. */
async function isBack(coordinator: TestCoordinator): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    try {
      if ((await coordinator.request("tasks.stats", {}, TRY_MS)).ok === true) return;
    } catch {
      // This connection or all workers have not reconnected yet.
      await delay(TRY_MS / 10);
    }
  }
  assert.fail("the coordinator does not answer");
}
const MAX_TRIES = 50;
const TRY_MS = 500;

for (const language of LANGUAGES) {
  describe(`the agent in examples/${language.name}`, { skip: language.missing }, () => {
    let folder = "";
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "agent-"));
      language.prepare(folder);
    });
    after(() => rm(folder, { recursive: true, force: true }));
    const start = (coordinator: TestCoordinator, env?: NodeJS.ProcessEnv): Agent =>
      new Agent(language.command(folder), coordinator.server.url, env);

    it("shares tasks with dependencies with another agent, and does each task once", async () => {
      await using coordinator = await TestCoordinator.start({ workers: 2 });
      const tasks = Array.from({ length: 8 }, (_, i) => ({
        task_id: `t${i}`,
        title: `Task {{ID}} ${i}`,
        depends_on: i < 3 ? [] : [`t${i - 3}`, `t${i - 2}`],
      }));
      await coordinator.ok("tasks.import", { tasks });
      await using one = start(coordinator, { STOP_WHEN_IDLE: "1" });
      await using two = start(coordinator, { STOP_WHEN_IDLE: "1" });
      for (const agent of [one, two]) {
        const { code, stdout, stderr } = await agent.output.exited;
        assert.equal(code, 0, stdout + stderr);
      }
      const reply = await coordinator.ok("tasks.list");
      const ends = reply.tasks.map((task: Json) => [task.status, task.attempt, task.result]);
      const expected = tasks.map(({ title }) => ["complete", 1, `did "${title}"`]);
      assert.deepEqual(ends, expected);
      assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    });

    it("continues after NATS was killed and is back, and stops on SIGTERM", async () => {
      await using coordinator = await TestCoordinator.start();
      await using agent = start(coordinator, { SESSION: "agent-1" });
      await coordinator.until("sessions.list", ({ sessions }) => sessions.length === 1);
      await coordinator.ok("tasks.create.before", { title: "Before" });
      await coordinator.until("tasks.get.before", ({ task }) => task.status === "complete");
      await coordinator.server.kill();
      await coordinator.server.restart();
      await isBack(coordinator);
      await coordinator.ok("tasks.create.after", { title: "After" });
      const task = await completed(coordinator, "after");
      assert.equal(task.completed_by, "agent-1");
      agent.terminate();
      const { stderr } = await agent.output.exited;
      assert.doesNotMatch(stderr, /Traceback|panic/);
      assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    });

    it("ends with the reason when another process takes over its session id", async () => {
      await using coordinator = await TestCoordinator.start();
      await using first = start(coordinator, { SESSION: "agent-1" });
      await coordinator.until("sessions.list", ({ sessions }) => sessions.length === 1);
      await using second = start(coordinator, { SESSION: "agent-1" });
      const { code, stderr } = await first.output.exited;
      assert.equal(code, 1);
      assert.match(stderr, /^session_replaced: /m);
      await coordinator.ok("tasks.create.a", { title: "A" });
      await coordinator.until("tasks.get.a", ({ task }) => task.status === "complete");
      second.terminate();
      await second.output.exited;
    });
  });
}
