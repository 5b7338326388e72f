/** Parked requests of clients with accounts of their own, whose reply subjects NATS cannot look at. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../../src/cleanup.ts";
import { SecuredServer } from "../support/secured-server.ts";
import { serveSecured } from "../support/secured-worker.ts";
import type { Json } from "../support/test-coordinator.ts";

async function ask(connection: NatsConnection, subject: string, body = {}): Promise<Json> {
  const reply = (await connection.request(subject, JSON.stringify(body))).json<Json>();
  assert.equal(reply.ok, true, JSON.stringify(reply));
  return reply;
}

/** Resolves when so many requests are parked. */
async function parked(operator: NatsConnection, count: number): Promise<void> {
  while ((await ask(operator, "tasks.stats")).worker.waiting !== count);
}

function wait(connection: NatsConnection, sessionId: string, more = {}): Promise<Json> {
  const body = JSON.stringify({ session_id: sessionId, wait_seconds: 60, ...more });
  return connection
    .request("tasks.next", body, { timeout: 60_000 })
    .then((reply) => reply.json<Json>());
}

describe("the parked requests of an agent", () => {
  it("end soon after its connection, and not with another one", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    const credentials = await secured.add("s1");
    const ann = await secured.connect(await secured.add("ann", "operator"));
    await serveSecured(secured, cleanup, {
      "nats.system_creds_file": secured.folder.credentialsFile("reports"),
    });
    const [leaves, stays] = [
      await secured.connect(credentials),
      await secured.connect(credentials),
    ];
    for (let i = 0; i < 20; i++)
      wait(leaves, `s1.gone${i}`, { prefix: "none." }).catch(() => undefined);
    const { attempt } = await ask(ann, "tasks.create.first").then(() =>
      ask(leaves, "tasks.claim.first", { session_id: "s1.loop" }),
    );
    // A release that waits for the next task is parked as well.
    const release = { session_id: "s1.loop", attempt, status: "complete" };
    leaves
      .request(
        "tasks.release.first",
        JSON.stringify({ ...release, next: { wait_seconds: 60, prefix: "other." } }),
        { timeout: 60_000 },
      )
      .catch(() => undefined);
    const waiting = wait(stays, "s1.here", { prefix: "mine." });
    await parked(ann, 22);
    await leaves.close();
    await parked(ann, 1);
    await ask(ann, "tasks.create.mine.1");
    const { claims } = await waiting;
    assert.deepEqual(
      claims.map(({ task }: Json) => [task.task_id, task.attempt]),
      [["mine.1", 1]],
    );
  });
});
