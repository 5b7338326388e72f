/** Checks real replies with the JSON Schemas that `nats micro info` shows. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { z } from "zod";
import { type Operation, OPERATION_NAMES, schemasOf } from "../../src/protocol/operations.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** A record of a later version: it has fields and an event that this one does not know. */
const FROM_LATER = {
  task_id: "later",
  title: "By a later version",
  colour: "red",
  last_event: {
    ...{ type: "task_paused", task_id: "later", old_status: "available", new_status: "available" },
    ...{ claimed_by: null, session_id: null, reason: null, timestamp: "2026-01-01T00:00:00.000Z" },
    paused_by: "alice",
  },
};

const CALLS: readonly (readonly [Operation, string, object])[] = [
  ["tasks.create", "tasks.create.a", { title: "A", payload: { n: 1 } }],
  ["tasks.import", "tasks.import", { tasks: [{ task_id: "b", depends_on: ["a"] }] }],
  ["sessions.register", "sessions.register.s", { capabilities: ["x"] }],
  ["tasks.claim", "tasks.claim.a", { session_id: "s" }],
  ["tasks.renew", "tasks.renew.a", { session_id: "s", progress: 1 }],
  ["sessions.heartbeat", "sessions.heartbeat.s", { claims: [{ task_id: "a", attempt: 1 }] }],
  ["tasks.get", "tasks.get.a", {}],
  ["tasks.verify", "tasks.verify.a", { session_id: "s" }],
  ["tasks.update", "tasks.update.a", { priority: 0 }],
  ["tasks.release", "tasks.release.a", { session_id: "s", status: "complete", result: [1] }],
  ["tasks.requeue", "tasks.requeue.a", {}],
  ["tasks.get", "tasks.get.later", {}],
  ["tasks.next", "tasks.next", { session_id: "s", max: 10 }],
  ["tasks.cancel", "tasks.cancel.b", {}],
  ["tasks.list", "tasks.list", {}],
  ["tasks.history", "tasks.history.later", {}],
  ["tasks.changes", "tasks.changes", {}],
  ["tasks.stats", "tasks.stats", {}],
  ["sessions.list", "sessions.list", {}],
  ["sessions.unregister", "sessions.unregister.s", {}],
];

describe("a reply fits its published schema", () => {
  let coordinator: TestCoordinator;
  before(async () => {
    coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.put("later", JSON.stringify(FROM_LATER));
    await coordinator.until("tasks.stats", ({ total }) => total === 1);
  });
  after(() => coordinator[Symbol.asyncDispose]());

  for (const [operation, subject, body] of CALLS) {
    it(`of ${subject}`, async () => {
      const reply: Json = await coordinator.ok(subject, body);
      const schema = replySchema(operation);
      const { error } = schema.safeParse(reply);
      assert.equal(error, undefined, error === undefined ? "" : z.prettifyError(error));
      // With fields of a later version at the top as well.
      assert.ok(schema.safeParse({ ...reply, later: true }).success);
    });
  }

  it("for every operation", () => {
    assert.deepEqual(new Set(CALLS.map(([operation]) => operation)), new Set(OPERATION_NAMES));
  });

  it("and another value does not", async () => {
    const reply: Json = await coordinator.ok("tasks.get.a");
    const schema = replySchema("tasks.get");
    assert.ok(!schema.safeParse({ ...reply, revision: "1" }).success);
    assert.ok(!schema.safeParse({ ...reply, task: { ...reply.task, status: 1 } }).success);
  });
});

/** Parses the schema from its JSON, as a program in another language does. */
function replySchema(operation: Operation): z.ZodType {
  const schema: unknown = JSON.parse(JSON.stringify(schemasOf(operation).reply));
  return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
}
