import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DiscardPolicy,
  type JetStreamManager,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { nanos } from "@nats-io/transport-node";
import { StartupError } from "../../src/app.ts";
import { ConnectionError } from "../../src/nats/connection.ts";
import { type BucketReports, UNREPORTED } from "../../src/nats/kv-buckets.ts";
import { makeBuckets } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const OPTIONS = { history: 16, replicas: 1 };
const BUCKETS = ["tasks", "leases", "sessions", "principals"];
const STREAMS = BUCKETS.map((bucket) => `KV_${bucket}`);

/** Records the buckets that are created. No warning is expected. */
class Reports implements BucketReports {
  readonly buckets: string[] = [];
  made(bucket: string): void {
    this.buckets.push(bucket);
  }
  warn(message: string): void {
    throw new Error(`unexpected warning: ${message}`);
  }
}

/** The settings of a bucket that a worker has created. */
async function goodConfig(jsm: JetStreamManager, stream: string): Promise<StreamConfig> {
  await makeBuckets(jsm, OPTIONS, new Reports());
  const { config } = await jsm.streams.info(stream);
  await jsm.streams.delete(stream);
  return config;
}

/** The error message for a bucket that differs in these settings. */
async function refusalOf(
  jsm: JetStreamManager,
  good: StreamConfig,
  different: Partial<StreamConfig>,
): Promise<string> {
  await jsm.streams.add({ ...good, ...different });
  try {
    await makeBuckets(jsm, OPTIONS, UNREPORTED);
  } catch (error) {
    assert.ok(error instanceof ConnectionError);
    return error.message;
  } finally {
    await jsm.streams.delete(good.name);
  }
  throw new assert.AssertionError({ message: `${JSON.stringify(different)} was not refused` });
}

describe("the buckets", () => {
  it("are created with the settings that the protocol needs", async () => {
    await using server = await TestServer.start();
    const jsm = await jetstreamManager(await server.connect());
    await makeBuckets(jsm, OPTIONS, new Reports());
    for (const stream of STREAMS) {
      const { config } = await jsm.streams.info(stream);
      assert.equal(config.max_msgs_per_subject, stream === "KV_tasks" ? 16 : 1);
      assert.equal(config.storage, StorageType.File);
      assert.equal(config.allow_msg_ttl, true);
      assert.ok((config.subject_delete_marker_ttl ?? 0) > 0);
      const { dest } = config.republish ?? {};
      assert.equal(dest, stream === "KV_tasks" ? "task-updates.>" : undefined);
    }
  });

  it("are buckets for every KV client", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await makeBuckets(await jetstreamManager(connection), OPTIONS, new Reports());
    for (const bucket of BUCKETS) {
      const kv = await new Kvm(connection).open(bucket);
      await kv.put("a.b", "value");
      assert.equal((await kv.get("a.b"))?.string(), "value");
    }
  });

  it("that exist keep their settings and their content", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const jsm = await jetstreamManager(connection);
    const [first, second] = [new Reports(), new Reports()];
    await makeBuckets(jsm, OPTIONS, first);
    assert.deepEqual(first.buckets, BUCKETS);
    const before = await Promise.all(STREAMS.map((stream) => jsm.streams.info(stream)));
    const kv = await new Kvm(connection).open("tasks");
    await kv.put("a", "{}");
    await makeBuckets(jsm, OPTIONS, second);
    assert.deepEqual(second.buckets, []);
    const after = await Promise.all(STREAMS.map((stream) => jsm.streams.info(stream)));
    assert.deepEqual(
      after.map(({ created, config }) => ({ created, config })),
      before.map(({ created, config }) => ({ created, config })),
    );
    assert.equal((await kv.get("a"))?.string(), "{}");
  });

  it("reserve no storage, because NATS can lose a bucket on a server that has less at its restart", async () => {
    await using server = await TestServer.start();
    const jsm = await jetstreamManager(await server.connect());
    await makeBuckets(jsm, OPTIONS, new Reports());
    const sizes = STREAMS.map(async (stream) => (await jsm.streams.info(stream)).config.max_bytes);
    assert.deepEqual(new Set(await Promise.all(sizes)), new Set([-1]));
  });

  it("are created once by many workers that start at the same time", async () => {
    await using server = await TestServer.start();
    const managers = await Promise.all(
      Array.from({ length: 8 }, async () => jetstreamManager(await server.connect())),
    );
    await Promise.all(managers.map((jsm) => makeBuckets(jsm, OPTIONS, new Reports())));
    const names: string[] = [];
    for await (const { config } of managers[0]?.streams.list() ?? []) names.push(config.name);
    assert.deepEqual(names.sort(), [...STREAMS].sort());
  });

  it("are refused if settings don't fit, and the error names each of them", async () => {
    await using server = await TestServer.start();
    const jsm = await jetstreamManager(await server.connect());
    const good = await goodConfig(jsm, "KV_tasks");
    const cases: [Partial<StreamConfig>, string][] = [
      [
        { subjects: ["$KV.tasks.>", "more.>"] },
        'subjects is ["$KV.tasks.>","more.>"] but must be ["$KV.tasks.>"]',
      ],
      [{ storage: StorageType.Memory }, 'storage is "memory" but must be "file"'],
      [{ retention: RetentionPolicy.Interest }, 'retention is "interest" but must be "limits"'],
      [{ discard: DiscardPolicy.Old }, 'discard is "old" but must be "new"'],
      [{ max_age: nanos(3_600_000) }, "max_age is 3600000000000 but must be 0"],
      [{ allow_direct: false }, "allow_direct is false but must be true"],
      [
        { republish: { src: "$KV.tasks.>", dest: "elsewhere.>" } },
        "republish is $KV.tasks.> -> elsewhere.> but must be $KV.tasks.> -> task-updates.>",
      ],
      [{ subject_delete_marker_ttl: 0 }, "subject_delete_marker_ttl is 0 but must be set"],
      [
        { subject_delete_marker_ttl: 0, allow_msg_ttl: false },
        "allow_msg_ttl is false but must be true",
      ],
      [
        { subject_delete_marker_ttl: 0, allow_rollup_hdrs: false },
        "allow_rollup_hdrs is false but must be true",
      ],
    ];
    for (const [different, words] of cases) {
      const message = await refusalOf(jsm, good, different);
      assert.ok(message.includes(words), message);
      assert.match(message, /^the bucket "tasks" exists with settings that don't fit: /);
      assert.match(message, /Change them with "nats stream edit KV_tasks", or remove the bucket/);
    }
  });

  it("are refused at the start if another tool created them, with all that is missing", async () => {
    await using server = await TestServer.start();
    await new Kvm(await server.connect()).create("leases", { history: 1 });
    const jsm = await jetstreamManager(await server.connect());
    await assert.rejects(makeBuckets(jsm, OPTIONS, new Reports()), (error: Error) => {
      assert.match(error.message, /the bucket "leases" exists with settings that don't fit/);
      assert.match(error.message, /allow_msg_ttl is (false|unset) but must be true/);
      assert.match(error.message, /subject_delete_marker_ttl is 0 but must be set/);
      return true;
    });
  });

  it("keep a coordinator from starting if they don't fit, and keep their content", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const jsm = await jetstreamManager(coordinator.connection);
    const { config } = await jsm.streams.info("KV_tasks");
    await jsm.streams.update("KV_tasks", { ...config, max_age: nanos(86_400_000) });
    await assert.rejects(coordinator.addWorkers(1), (error: Error) => {
      assert.ok(error instanceof StartupError);
      assert.match(error.message, /bucket "tasks".*max_age is 86400000000000 but must be 0/);
      return true;
    });
    assert.equal((await coordinator.ok("tasks.get.a")).task.task_id, "a");
  });

  it("are used with a warning if their history differs from the configured one", async () => {
    await using server = await TestServer.start();
    const jsm = await jetstreamManager(await server.connect());
    await makeBuckets(jsm, { ...OPTIONS, history: 5 }, new Reports());
    const warnings: string[] = [];
    await makeBuckets(jsm, OPTIONS, {
      made: () => assert.fail("all buckets exist"),
      warn: (message) => warnings.push(message),
    });
    assert.deepEqual(warnings, [
      'bucket "tasks" is used as it is: max_msgs_per_subject is 5 but must be 16 by the configuration',
    ]);
    assert.equal((await jsm.streams.info("KV_tasks")).config.max_msgs_per_subject, 5);
  });
});
