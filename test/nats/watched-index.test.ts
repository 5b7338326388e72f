import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { KvTaskStore } from "../../src/nats/kv-task-store.ts";
import { TaskIndex } from "../../src/service/task-index.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";

function openBucket(connection: NatsConnection): Promise<KV> {
  return new Kvm(connection).open("tasks");
}

describe("the index behind the watch", () => {
  it("drops the tasks that were removed without a marker while the connection was lost", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    const direct = await openKvAccess(await server.connect());
    const bucket = await openBucket(direct.connection);
    for (const id of ["stays", "goes", "changes"]) await bucket.put(id, `{"title":"${id}"}`);

    const access = await openKvAccess(await server.connect({ servers: proxy.url }));
    const index = new TaskIndex(() => 0);
    const current = new EventEmitter();
    index.onCurrent(() => current.emit("current"));
    const store = new KvTaskStore(access);
    const corrupt: string[] = [];
    index.onCorrupt((taskId) => corrupt.push(taskId));
    const first = once(current, "current");
    const stoppable = await store.watch(index);
    await first;
    assert.equal(index.size, 3);

    const again = once(current, "current");
    proxy.cut();
    // As if the marker had removed itself long ago, no message of the task is left.
    await direct.jsm.streams.purge("KV_tasks", { filter: "$KV.tasks.goes" });
    await bucket.put("changes", '{"title":"changed"}');
    await bucket.put("unreadable", "hello");
    proxy.mend();
    await again;

    const titles = [...index.values()].map(({ task }) => task.title);
    assert.deepEqual(titles.sort(), ["changed", "stays"]);
    assert.equal(index.counts().available, 2);
    assert.deepEqual(corrupt, ["unreadable"]);
    await stoppable.stop();
  });

  it("is empty after all tasks were removed while the connection was lost", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    const direct = await openKvAccess(await server.connect());
    await (await openBucket(direct.connection)).put("a", "{}");
    const index = new TaskIndex(() => 0);
    const current = new EventEmitter();
    index.onCurrent(() => current.emit("current"));
    const access = await openKvAccess(await server.connect({ servers: proxy.url }));
    const store = new KvTaskStore(access);
    const first = once(current, "current");
    const stoppable = await store.watch(index);
    await first;
    const again = once(current, "current");
    proxy.cut();
    await direct.jsm.streams.purge("KV_tasks");
    proxy.mend();
    await again;
    assert.deepEqual([index.size, index.isCurrent], [0, true]);
    await stoppable.stop();
  });
});
