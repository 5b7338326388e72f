/** `dev` restarts its NATS server when a bucket refuses every write. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import {
  RefusalRestarts,
  RESTART_AFTER_MS,
  RESTART_PAUSE_MS,
} from "../../src/cli/dev/refusal-restarts.ts";
import { Dev } from "../support/dev.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** Counts the restarts. The test sets the time. */
function restarts(t: TestContext) {
  let now = 0;
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => now);
  const notices: string[] = [];
  let count = 0;
  const watch = new RefusalRestarts({
    restart: () => {
      count++;
      return Promise.resolve();
    },
    notify: (line) => notices.push(line),
  });
  return {
    notices,
    count: () => count,
    refused: (bucket: string, reason: string | null) => {
      watch.observe({ kind: "writes_refused", bucket, reason });
    },
    pass: (ms: number) => {
      now += ms;
      t.mock.timers.tick(ms);
    },
  };
}

describe("a restart of the server because a bucket refuses writes", () => {
  it("comes after some seconds, with a line that says why", (t) => {
    const { refused, pass, count, notices } = restarts(t);
    refused("leases", "no message found");
    pass(RESTART_AFTER_MS - 1);
    assert.equal(count(), 0);
    pass(1);
    assert.equal(count(), 1);
    assert.deepEqual(notices, [
      'the bucket "leases" refuses every write (no message found): restarting the NATS server',
    ]);
  });

  it("does not come if the bucket accepts writes again in time", (t) => {
    const { refused, pass, count } = restarts(t);
    refused("leases", "no message found");
    refused("tasks", "no message found");
    pass(RESTART_AFTER_MS - 1);
    refused("leases", null);
    refused("tasks", null);
    pass(RESTART_PAUSE_MS);
    assert.equal(count(), 0);
  });

  it("is not repeated within a minute", (t) => {
    const { refused, pass, count } = restarts(t);
    refused("tasks", "no space left on device");
    pass(RESTART_AFTER_MS);
    refused("tasks", null);
    refused("tasks", "no space left on device");
    pass(RESTART_PAUSE_MS - 1);
    assert.equal(count(), 1);
    pass(1);
    assert.equal(count(), 2);
  });
});

async function reconnection(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") return;
}

/** Whether a task can be created again. Workers that are reconnecting do not answer yet. */
async function isCreated(connection: NatsConnection): Promise<boolean> {
  try {
    const { ok, error } = (await connection.request("tasks.create.b", "{}")).json<Reply>();
    return ok || error?.code === "already_exists";
  } catch {
    return false;
  }
}

interface Reply {
  readonly ok: boolean;
  readonly error?: { readonly code: string };
}

for (const workers of ["1", "2"]) {
  describe(`if-coordinator dev with ${workers} workers`, () => {
    it("restarts its server when a bucket refuses every write, and continues", async () => {
      await using folder = await TempFolder.create();
      await using dev = await Dev.start(folder.path, ["--workers", workers]);
      const first = dev.serverPid();
      const connection = await connect({ servers: await dev.natsUrl() });
      try {
        const reconnected = reconnection(connection);
        const jsm = await jetstreamManager(connection);
        await connection.request("tasks.create.a", "{}");
        await jsm.streams.update("KV_tasks", { max_bytes: 1 });
        // A create is refused before it is written when the bucket is full, but a claim is not.
        const reply = await connection.request("tasks.claim.a", '{"session_id":"s1"}', {
          timeout: 10_000,
        });
        assert.equal(reply.json<Reply>().ok, false);
        await dev.waitFor(
          /^.*bucket "tasks" refuses every write \(.*\): restarting the NATS server$/m,
        );
        await reconnected;
        assert.notEqual(dev.serverPid(), first);
        await jsm.streams.update("KV_tasks", { max_bytes: -1 });
        while (!(await isCreated(connection)));
      } finally {
        await connection.close();
      }
    });
  });
}
