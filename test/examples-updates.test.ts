/** Runs examples/updates-at-least-once.ts and compares what it prints with the history in the bucket. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { readHistory } from "../src/nats/read-history.ts";
import { encodeTask } from "../src/protocol/task-record.ts";
import { Example } from "./support/example.ts";
import { NatsProxy } from "./support/nats-proxy.ts";
import { UpdateClient } from "./support/observed-updates.ts";
import { SteadyWriter } from "./support/steady-writer.ts";
import { TestCoordinator } from "./support/test-coordinator.ts";

const PATIENCE_MS = 60_000;

/** A history that keeps everything, so each revision must be delivered. */
async function startCoordinator(): Promise<TestCoordinator> {
  return TestCoordinator.start({ settings: { history: 64 } });
}

/** The running example. Its lines are compared with the history. */
class Watcher extends Example {
  constructor(natsUrl: string, checkSeconds = 30) {
    const env = { CHECK_SECONDS: String(checkSeconds) };
    super("updates-at-least-once", natsUrl, { env, patienceMs: PATIENCE_MS });
  }

  /** Resolves when the example has delivered this revision, of this task if one is given. */
  async delivered(revision: number, taskId?: string): Promise<void> {
    const isIt = (line: string): boolean => {
      const one = JSON.parse(line);
      return one.revision === revision && (taskId === undefined || one.task_id === taskId);
    };
    await this.wroteOneThat(isIt, `revision ${revision}`);
  }

  /** Asserts that the history of the bucket was delivered unchanged, and in order for each task. */
  async assertDeliveredAll(coordinator: TestCoordinator): Promise<void> {
    const lines = this.written;
    for (const { taskId: task_id, revision, task } of await readHistory(coordinator.connection)) {
      const { status, last_event } = task === null ? {} : encodeTask(task);
      const event = last_event?.type ?? null;
      const line = JSON.stringify({ revision, task_id, status: status ?? null, event });
      assert.ok(lines.includes(line), `${line} was not delivered: ${this.output.stderr}`);
    }
    const newest = new Map<string, number>();
    for (const { task_id, revision } of [...new Set(lines)].map((line) => JSON.parse(line))) {
      assert.ok(revision > (newest.get(task_id) ?? 0), `${task_id}: ${revision} came too late`);
      newest.set(task_id, revision);
    }
  }
}

async function tasksBucket(coordinator: TestCoordinator): Promise<KV> {
  return new Kvm(coordinator.connection).open("tasks");
}

/** Creates this number of tasks, one revision each. */
async function create(coordinator: TestCoordinator, prefix: string, count: number): Promise<void> {
  const tasks = Array.from({ length: count }, (_, i) => ({ task_id: `${prefix}${i}` }));
  await coordinator.ok("tasks.import", { tasks });
}

/** Creates a task whose live message is lost. */
async function createUnheard(coordinator: TestCoordinator, proxy: NatsProxy): Promise<void> {
  proxy.silenceServer();
  const lost = proxy.untilServerSays("task-updates.unheard-0");
  await create(coordinator, "unheard-", 1);
  await lost;
  proxy.endSilence();
}

/** Deletes the bucket. A new worker creates another one. */
async function replaceBucket(coordinator: TestCoordinator): Promise<void> {
  const { streams } = await jetstreamManager(coordinator.connection);
  await streams.delete("KV_tasks");
  await coordinator.addWorkers(1);
}

describe("examples/updates-at-least-once.ts", () => {
  it("delivers every revision through lost connections and a crash of the server", async () => {
    await using coordinator = await startCoordinator();
    const { server } = coordinator;
    await using proxy = await NatsProxy.start(server.port);
    await using client = await UpdateClient.connect(server.url);
    await using watcher = new Watcher(proxy.url);
    const bucket = await tasksBucket(coordinator);
    const writer = new SteadyWriter(client);
    await watcher.delivered(1);
    await writer.untilWritten(100);
    proxy.cut();
    await bucket.put("missed", '{"title":"Written by hand"}');
    await writer.untilWritten(50);
    proxy.mend();
    await writer.untilWritten(50);
    await server.kill();
    await server.restart();
    await writer.untilWritten(50);
    proxy.cut();
    proxy.mend();
    await writer.untilWritten(50);
    const last = await writer.stop();
    await watcher.delivered(last);
    await watcher.assertDeliveredAll(coordinator);
  });

  it("delivers values that were written by hand, values that are not tasks, and removals", async () => {
    await using coordinator = await startCoordinator();
    await using watcher = new Watcher(coordinator.server.url);
    const bucket = await tasksBucket(coordinator);
    await create(coordinator, "task-", 1);
    await watcher.delivered(1);
    await bucket.put("by-hand", '{"title":"Written by hand"}');
    await bucket.put("no-task", "nonsense");
    await bucket.put("empty", "");
    await bucket.delete("by-hand");
    await create(coordinator, "last-", 1);
    await watcher.delivered(6);
    await watcher.assertDeliveredAll(coordinator);
    assert.deepEqual(
      watcher.written.slice(1, 5).map((line) => JSON.parse(line)),
      [
        { revision: 2, task_id: "by-hand", status: "available", event: null },
        { revision: 3, task_id: "no-task", status: null, event: null },
        { revision: 4, task_id: "empty", status: null, event: null },
        { revision: 5, task_id: "by-hand", status: null, event: null },
      ],
    );
  });

  it("fills a gap when the next message arrives", async () => {
    await using coordinator = await startCoordinator();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using watcher = new Watcher(proxy.url);
    await create(coordinator, "seen-", 1);
    await watcher.delivered(1);
    await createUnheard(coordinator, proxy);
    await create(coordinator, "next-", 1);
    await watcher.delivered(3);
    await watcher.assertDeliveredAll(coordinator);
  });

  it("delivers a lost message even if no other message follows", async () => {
    await using coordinator = await startCoordinator();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using watcher = new Watcher(proxy.url, 1);
    await create(coordinator, "seen-", 1);
    await watcher.delivered(1);
    await createUnheard(coordinator, proxy);
    await watcher.delivered(2);
    await watcher.assertDeliveredAll(coordinator);
  });

  it("starts again with a new bucket, whose revisions are lower", async () => {
    await using coordinator = await startCoordinator();
    await using watcher = new Watcher(coordinator.server.url);
    await create(coordinator, "old-", 20);
    await watcher.delivered(20);
    await replaceBucket(coordinator);
    await create(coordinator, "new-", 3);
    await watcher.delivered(3, "new-2");
    await watcher.assertDeliveredAll(coordinator);
  });

  it("starts again with a new bucket that has grown beyond the old one meanwhile", async () => {
    await using coordinator = await startCoordinator();
    await using proxy = await NatsProxy.start(coordinator.server.port);
    await using watcher = new Watcher(proxy.url);
    await create(coordinator, "old-", 3);
    await watcher.delivered(3);
    proxy.cut();
    await replaceBucket(coordinator);
    await create(coordinator, "new-", 10);
    proxy.mend();
    await watcher.delivered(10, "new-9");
    await watcher.assertDeliveredAll(coordinator);
  });
});
