/** Tasks whose content the worker does not keep in memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Kvm } from "@nats-io/kv";
import { LARGE_RECORD_BYTES } from "../../src/protocol/left-out.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const LARGE = "x".repeat(2 * LARGE_RECORD_BYTES);
const session_id = "s1";

/** What people and sessions can do to one task. */
const OPERATIONS = {
  claim: ["tasks.claim", { session_id }],
  next: ["tasks.next", { session_id }],
  giveBack: ["tasks.release", { session_id, status: "available" }],
  fail: ["tasks.release", { session_id, status: "failed", retry: true, error: { at: LARGE } }],
  complete: ["tasks.release", { session_id, status: "complete", result: [LARGE, 1] }],
  requeue: ["tasks.requeue", {}],
  cancel: ["tasks.cancel", {}],
  rename: ["tasks.update", { title: "renamed" }],
  renew: ["tasks.renew", { session_id }],
  unregister: ["sessions.unregister", {}],
} as const;
type OperationName = keyof typeof OPERATIONS;
const NAMES = Object.keys(OPERATIONS) as OperationName[];

/** What an operation may make of the fields that sessions give. */
const GIVEN: Record<string, Partial<Record<OperationName, readonly unknown[]>>> = {
  result: { complete: [OPERATIONS.complete[1].result], requeue: [null] },
  error: { fail: [OPERATIONS.fail[1].error], complete: [null], requeue: [null] },
};

/** The fields that no operation above changes. */
function definitionOf({ description, metadata, payload }: Json): object {
  return { description, metadata, payload };
}

describe("the content of a large record", () => {
  it("survives any sequence of operations, through any worker", async () => {
    await using coordinator = await TestCoordinator.start({
      workers: 2,
      settings: { "retry.base_ms": 0, "retry.max_ms": 0 },
    });
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    let count = 0;
    const contents = fc.record(
      {
        description: fc.constantFrom("", "short", LARGE),
        metadata: fc.constantFrom({}, { of: "s1" }, { large: LARGE }),
        payload: fc.constantFrom(null, 7, { large: LARGE }, [LARGE, "ü"]),
      },
      { noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.array(fc.constantFrom(...NAMES), { minLength: 3, maxLength: 12 }),
        async (content, names) => {
          const id = `t${++count}`;
          await coordinator.ok(`tasks.create.${id}`, content);
          let before: Json = { result: null, error: null };
          for (const name of names) {
            const [operation, body] = OPERATIONS[name];
            const of = name === "next" ? "" : name === "unregister" ? ".s1" : `.${id}`;
            const sent = name === "next" ? { ...body, prefix: id } : body;
            const reply = await coordinator.request(operation + of, sent);
            assert.notEqual(reply.error?.code, "internal");
            const record: Json = (await bucket.get(id))?.json();
            assert.deepEqual(definitionOf(record), content, `after ${name}`);
            for (const [field, given] of Object.entries(GIVEN)) {
              // A requeued task begins again. A release that is repeated changes nothing.
              const allowed = [before[field], ...(given[name] ?? [])];
              const isAllowed = allowed.some((value) => isDeepStrictEqual(record[field], value));
              assert.ok(isAllowed, `${field} after ${name}: ${JSON.stringify(record[field])}`);
            }
            before = record;
            const shown: Json[] = [
              ...(reply.task === undefined ? [] : [reply.task]),
              ...(reply.claims ?? []).flatMap(({ task }: Json) => task ?? []),
              (await coordinator.ok(`tasks.get.${id}`)).task,
              ...(await coordinator.ok("tasks.list", { prefix: id })).tasks,
            ];
            for (const task of shown) assert.deepEqual(definitionOf(task), content, name);
            // Readers add the revision to the first record.
            const { created_revision } = shown.at(-1);
            assert.deepEqual(shown.at(-1), { ...record, created_revision });
          }
          await bucket.purge(id);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("costs a claim and a release one read each, and that of a small record none", async () => {
    let loads = 0;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          load: (real) => (taskId) => {
            loads++;
            return real.load(taskId);
          },
        },
      }),
    });
    await coordinator.ok("tasks.create.large", { payload: LARGE });
    await coordinator.ok("tasks.create.small", { payload: "small" });
    for (const [id, reads] of [
      ["large", 1],
      ["small", 0],
    ] as const) {
      loads = 0;
      await coordinator.ok("tasks.next", { session_id, prefix: id });
      assert.equal(loads, reads, `claim of ${id}`);
      loads = 0;
      await coordinator.ok(`tasks.release.${id}`, { session_id, status: "complete" });
      assert.equal(loads, reads, `release of ${id}`);
    }
  });

  it("is listed as it is, also if the task changes or goes while the page is read", async () => {
    let change: () => Promise<unknown> = () => Promise.resolve();
    let changed: Promise<unknown> | null = null;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          load: (real) => async (taskId) => {
            await (changed ??= change());
            return real.load(taskId);
          },
        },
      }),
    });
    const ids = ["a", "b", "c", "d"];
    for (const id of ids) await coordinator.ok(`tasks.create.${id}`, { payload: LARGE });
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    change = async () => {
      await bucket.purge("b");
      const record: Json = { ...(await bucket.get("c"))?.json<object>(), status: "cancelled" };
      await bucket.put("c", JSON.stringify(record));
    };
    const { tasks, next_cursor } = await coordinator.ok("tasks.list", { status: "available" });
    assert.deepEqual(
      tasks.map(({ task_id, payload }: Json) => [task_id, payload === LARGE]),
      [
        ["a", true],
        ["d", true],
      ],
    );
    assert.equal(next_cursor, null);
  });

  it("does not keep a worker that starts from knowing every task", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const first = await coordinator.addWorkers(1);
    // More than the server sends for one request.
    const ids = Array.from({ length: 700 }, (_, i) => `t${i}`);
    const payload = "x".repeat(60_000);
    const queue = ids.values();
    const create = async (): Promise<void> => {
      for (const id of queue) await coordinator.ok(`tasks.create.${id}`, { payload });
    };
    await Promise.all(Array.from({ length: 8 }, create));
    await first.stop();
    await coordinator.addWorkers(1);
    const { total, ready } = await coordinator.ok("tasks.stats");
    assert.deepEqual([total, ready], [ids.length, ids.length]);
  });
});
