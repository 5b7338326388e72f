/** Who may change what: each cell of the table in docs/protocol.md, tried. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../src/cleanup.ts";
import { SecuredServer } from "./support/secured-server.ts";
import { serveSecured } from "./support/secured-worker.ts";
import { withLateWatch } from "./support/late-watch.ts";
import { read, section, table } from "./support/markdown.ts";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

const ROWS = table(section(read("docs/protocol.md"), "Who may change what"), "Request");
const ACTORS = ["Creator", "Holder", "Another agent", "Operator"] as const;

/** The task is created by the agent `maker`. `holder` holds it, if anybody does. */
const SENDERS = {
  Creator: { root: "agent.maker", session: "maker" },
  Holder: { root: "agent.holder", session: "holder" },
  "Another agent": { root: "agent.other", session: "other" },
  Operator: { root: "operator.ann", session: "ann" },
} as const;

const REQUESTS: Readonly<Record<string, { readonly operation: string; readonly body: object }>> = {
  "tasks.update": { operation: "update", body: { payload: { step: 1 }, priority: 0 } },
  "tasks.update of depends_on or not_before": {
    operation: "update",
    body: { depends_on: ["x"] },
  },
  "tasks.cancel": { operation: "cancel", body: {} },
  "tasks.cancel with force": { operation: "cancel", body: { force: true } },
  "tasks.requeue": { operation: "requeue", body: {} },
};

/** `yes`, or the code of the refusal. */
function cellOf(reply: Json): string {
  return reply.ok === true ? "yes" : (reply.error.code as string);
}

describe("in a secured set-up", () => {
  it("an agent changes its own tasks only, and an operator all", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    await serveSecured(secured, cleanup);
    const ask = async (connection: NatsConnection, subject: string): Promise<string> => {
      const body = JSON.stringify(subject.includes("update") ? { payload: "changed" } : {});
      return cellOf((await connection.request(subject, body, { timeout: 10_000 })).json<Json>());
    };
    const [s1, s2, ann] = [
      await secured.connect(await secured.add("s1")),
      await secured.connect(await secured.add("s2")),
      await secured.connect(await secured.add("ann", "operator")),
    ];
    for (const [connection, subject, expected] of [
      [s1, "tasks.create.a", "yes"],
      [s2, "tasks.update.a", "forbidden"],
      [s2, "tasks.cancel.a", "forbidden"],
      [s1, "tasks.update.a", "yes"],
      [ann, "tasks.update.a", "yes"],
      [ann, "tasks.create.b", "yes"],
      [s1, "tasks.update.b", "forbidden"],
      [s1, "tasks.cancel.a", "yes"],
    ] as const) {
      assert.equal(await ask(connection, subject), expected, subject);
    }
  });
});

describe("the table of rights", () => {
  it("says what each request is answered with", async () => {
    await using coordinator = await TestCoordinator.start();
    const tried: Record<string, string>[] = [];
    for (const [i, { Request = "", Task = "" }] of ROWS.entries()) {
      const row: Record<string, string> = { Request, Task };
      for (const actor of ACTORS) {
        const id = `task-${i}-${actor.replace(" ", "-")}`;
        await coordinator.ok(`agent.maker.tasks.create.${id}`);
        if (Task === "claimed") {
          await coordinator.ok(`agent.holder.tasks.claim.${id}`, { session_id: "holder" });
        } else if (actor === "Holder") {
          row[actor] = "–";
          continue;
        }
        const { operation, body } = REQUESTS[Request] ?? assert.fail(Request);
        const { root, session: session_id } = SENDERS[actor];
        const subject = `${root}.tasks.${operation}.${id}`;
        row[actor] = cellOf(await coordinator.request(subject, { ...body, session_id }));
      }
      tried.push(row);
    }
    assert.deepEqual(
      ROWS.map((row) => ({ ...row })),
      tried,
    );
  });

  it("holds for the other sessions of the creator, and not for those of agents with a similar name", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("agent.s1.tasks.create.a", { session_id: "s1.lead" });
    await coordinator.ok("agent.s1.tasks.update.a", { session_id: "s1.other", priority: 0 });
    await coordinator.ok("agent.s1.tasks.claim.a", { session_id: "s1.worker" });
    for (const name of ["s10", "s", "S1"]) {
      const error = await coordinator.refused(`agent.${name}.tasks.update.a`, { priority: 1 });
      assert.equal(error.code, "forbidden");
      assert.match(error.message, /belongs to its creator \(agent\.s1\) and to operators/);
    }
    // Another session of the creator holds it.
    const { task } = await coordinator.ok("agent.s1.tasks.cancel.a", { force: true });
    assert.equal(task.status, "cancelled");
  });

  it("leaves tasks without a known creator to operators", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b", { session_id: "s1" });
    for (const id of ["a", "b"]) {
      for (const [operation, body] of [
        ["update", { title: "x" }],
        ["cancel", { session_id: "s1" }],
      ] as const) {
        const subject = `agent.s1.tasks.${operation}.${id}`;
        assert.equal((await coordinator.refused(subject, body)).code, "forbidden");
      }
      await coordinator.ok(`operator.ann.tasks.update.${id}`, { title: "x" });
    }
  });

  it("comes before all that an answer would tell about the task", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("agent.s1.tasks.create.a", { payload: "secret" });
    const error = await coordinator.refused("agent.s2.tasks.update.a", { title: "x", revision: 9 });
    assert.equal(error.code, "forbidden");
    assert.doesNotMatch(JSON.stringify(error), /secret/);
  });

  it("is decided on the leader's record, if this worker has not seen it yet", async () => {
    let isLate = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withLateWatch("tasks", () => isLate),
    });
    await coordinator.ok("operator.ann.tasks.create.a");
    isLate = true;
    // Another program makes s1 the creator.
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    const entry = await bucket.get("a");
    const record = { ...(entry?.json<Json>() ?? {}), created_by: "agent.s1" };
    await bucket.put("a", JSON.stringify(record));
    await coordinator.ok("agent.s1.tasks.update.a", { title: "mine" });
  });
});
