import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { headers } from "@nats-io/transport-node";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldWatch } from "../support/held-watch.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("a worker that sees a lease before the claim", () => {
  it("asks the leader for the task, and leaves the lease alone", async () => {
    const watch = new HeldWatch();
    let noteFirst: (what: string) => void = () => undefined;
    const first = new Promise<string>((resolve) => {
      noteFirst = resolve;
    });
    const noting = withFaults({
      tasks: {
        load: (real) => async (taskId) => {
          const entry = await real.load(taskId);
          noteFirst("load");
          return entry;
        },
      },
      leases: {
        end:
          (real) =>
          (...end) => {
            noteFirst("end");
            return real.end(...end);
          },
      },
    });
    await using coordinator = await TestCoordinator.start({
      wrapStores: (stores) => noting(watch.wrapStores(stores)),
    });
    watch.hold();
    // Another worker creates the task, claims it, and writes the lease.
    const write = async (subject: string, value: object, ttl?: string): Promise<void> => {
      const headersOfWrite = headers();
      if (ttl !== undefined) headersOfWrite.set("Nats-TTL", ttl);
      const options = { headers: headersOfWrite, timeout: 5_000 };
      await coordinator.connection.request(subject, JSON.stringify(value), options);
    };
    const claim = { status: "claimed", claimed_by: "s1", attempt: 1, fencing_token: 1 };
    await write("$KV.tasks.a", { status: "available" });
    await write("$KV.tasks.a", claim);
    await write(
      "$KV.leases.1-0.a",
      {
        ...{ session_id: "s1", attempt: 1, epoch: 0, fencing_token: 1 },
        ...{ ttl_seconds: 60, confirmed: false, progress: null },
      },
      "60s",
    );
    assert.equal(await first, "load");
    watch.release();
    const renewed = await coordinator.ok("tasks.renew.a", { session_id: "s1", attempt: 1 });
    assert.equal(renewed.ok, true);
    assert.equal((await coordinator.ok("tasks.get.a")).task.lease_epoch, undefined);
  });
});
