import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldWatch } from "../support/held-watch.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("a cycle whose first half another worker wrote, before this worker has seen it", () => {
  for (const operation of ["create", "update", "import"]) {
    it(`is refused by ${operation}, with its path`, async () => {
      const watch = new HeldWatch();
      const signals = new EventEmitter();
      const signalled = withFaults({
        tasks: {
          lastRevision: (real) => () => {
            signals.emit("asked");
            return real.lastRevision();
          },
        },
      });
      await using coordinator = await TestCoordinator.start({
        wrapStores: (stores) => signalled(watch.wrapStores(stores)),
      });
      if (operation === "update") await coordinator.ok("tasks.create.b");
      watch.hold();
      await putElsewhere(coordinator, "a", { depends_on: ["b"] });

      const asked = once(signals, "asked");
      const refused =
        operation === "import"
          ? coordinator.refused("tasks.import", { tasks: [{ task_id: "b", depends_on: ["a"] }] })
          : coordinator.refused(`tasks.${operation}.b`, { depends_on: ["a"] });
      await asked;
      watch.release();
      const error = await refused;
      assert.deepEqual([error.code, error.field], ["invalid_request", "depends_on"]);
      assert.deepEqual(error.cycle, ["b", "a", "b"]);
      assert.match(error.message, /b -> a -> b/);
      const { tasks } = await coordinator.ok("tasks.list", { prefix: "b" });
      assert.equal(tasks.length, operation === "update" ? 1 : 0);
    });
  }
});

/** Writes a task as another worker would. */
async function putElsewhere(
  coordinator: TestCoordinator,
  taskId: string,
  record: object,
): Promise<void> {
  const kv = await new Kvm(coordinator.connection).open("tasks");
  await kv.put(taskId, JSON.stringify(record));
}
