import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestError } from "@nats-io/nats-core";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("a request for an operation that does not exist", () => {
  it("is answered with the operation that was probably meant, on both roots", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    for (const [subject, says] of [
      ["tasks.cancle.x", /no operation tasks.cancle: did you mean tasks.cancel\?/],
      ["tasks.stat", /no operation tasks.stat: did you mean tasks.stats\?/],
      ["sessions.regster.y", /no operation sessions.regster: did you mean sessions.register\?/],
      ["agent.alice.tasks.clam.x", /no operation tasks.clam: did you mean tasks.claim\?/],
      ["tasks.frobnicate.x", /no operation tasks.frobnicate: use one of tasks.create, /],
    ] as const) {
      const error = await coordinator.refused(subject);
      assert.equal(error.code, "invalid_request");
      assert.match(error.message as string, says);
    }
  });

  it("is left to another queue group that listens there", async () => {
    await using coordinator = await TestCoordinator.start();
    const { connection } = coordinator;
    connection.subscribe("tasks.later.>", {
      queue: "another",
      callback: (_, msg) => void setTimeout(() => msg.respond('{"ok":true,"later":1}'), 100),
    });
    // A plain subscriber does not answer.
    connection.subscribe("tasks.>", { callback: () => undefined });
    await connection.flush();
    assert.equal((await coordinator.ok("tasks.later.x")).later, 1);
    assert.equal((await coordinator.refused("tasks.latr.x")).code, "invalid_request");
  });

  it("is not answered if no worker runs", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const app = await coordinator.addWorkers(1);
    assert.equal((await coordinator.refused("tasks.cancle.x")).code, "invalid_request");
    await app.stop();
    for (const subject of ["tasks.cancle.x", "tasks.stats"]) {
      await assert.rejects(coordinator.request(subject), RequestError);
    }
  });

  it("is answered again after a busy period, in which it may get no answer", async () => {
    await using coordinator = await TestCoordinator.start();
    await Promise.all(Array.from({ length: 300 }, () => coordinator.ok("tasks.stats")));
    const deadline = Date.now() + 15_000;
    for (;;) {
      const answer = await coordinator.request("tasks.cancle.x").catch(() => null);
      if (answer?.error.code === "invalid_request") break;
      assert.ok(Date.now() < deadline, "nobody answers");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
});
