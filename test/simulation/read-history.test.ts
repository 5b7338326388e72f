import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { readHistory } from "../../src/nats/read-history.ts";
import { encodeTask } from "../../src/protocol/task-record.ts";
import { TestServer } from "../support/nats-server.ts";
import { SyntheticHistory } from "./synthetic-history.ts";

describe("the history that a simulation is judged by", () => {
  it("is everything that the bucket has, in the order of the writes", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const bucket = await new Kvm(connection).create("tasks", { history: 64 });
    const written = new SyntheticHistory();
    for (let i = 0; i < 200; i++) written.create(`t${i}`);
    for (let i = 199; i >= 0; i--) written.claim(`t${i}`, "session-1").release(`t${i}`, "complete");
    for (const { taskId, task } of written.entries) {
      if (task !== null) await bucket.put(taskId, JSON.stringify(encodeTask(task)));
    }

    const read = await readHistory(connection);
    assert.equal(read.length, 600);
    const told = (entries: SyntheticHistory["entries"]): unknown[] =>
      entries.map(({ taskId, revision, task }) => ({
        taskId,
        revision,
        event: task?.lastEvent,
        attempt: task?.attempt,
      }));
    assert.deepEqual(told(read), told(written.entries));
  });

  it("has a place for what is not a task: removals and values that are not readable", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const bucket = await new Kvm(connection).create("tasks", { history: 64 });
    await bucket.put("a", '{"title":"by hand"}');
    await bucket.put("a", "not a task");
    await bucket.delete("a");

    const read = await readHistory(connection);
    assert.deepEqual(
      read.map(({ revision, task }) => [revision, task?.title ?? null]),
      [
        [1, "by hand"],
        [2, null],
        [3, null],
      ],
    );
  });

  it("is empty for an empty bucket", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await new Kvm(connection).create("tasks");
    assert.deepEqual(await readHistory(connection), []);
  });
});
