import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { CliProcess } from "../../support/cli-process.ts";
import { TestServer } from "../../support/nats-server.ts";
import { type Json, TestCoordinator } from "../../support/test-coordinator.ts";

let coordinator: TestCoordinator;
before(async () => {
  coordinator = await TestCoordinator.start();
});
after(() => coordinator[Symbol.asyncDispose]());

describe("task next --wait", () => {
  it("waits until a task is ready", async () => {
    await using waiting = new CliProcess(
      ["task", "next", "-s", "w", "--wait", "2m", "--prefix", "later.", "--quiet"],
      { env: { NATS_URL: coordinator.server.url } },
    );
    await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === 1);
    await coordinator.ok("tasks.create.later.1");
    const { code, stdout } = await waiting.exited;
    assert.deepEqual([code, stdout], [0, "later.1\n"]);
  });

  it("is ended by Ctrl-C without a word, and claims nothing afterwards", async () => {
    await using waiting = new CliProcess(
      ["task", "next", "-s", "w", "--wait", "2m", "--prefix", "no."],
      {
        env: { NATS_URL: coordinator.server.url },
      },
    );
    await coordinator.until("tasks.stats", ({ worker }) => worker.waiting === 1);
    waiting.interrupt();
    const { code, signal, stdout, stderr } = await waiting.exited;
    assert.deepEqual([code, signal, stdout, stderr], [null, "SIGINT", "", ""]);
    // NATS tells the worker that nobody waits for the answer.
    await coordinator.ok("tasks.create.no.1");
    const other = await coordinator.ok("tasks.next", {
      session_id: "x",
      prefix: "no.",
      wait_seconds: 5,
    });
    assert.equal(other.claims[0].task.task_id, "no.1");
  });
});

describe("task next --wait that is interrupted when its claim is on the way", () => {
  it("gives the task back", async () => {
    await using server = await TestServer.start();
    const nats = await server.connect();
    const requests: Json[] = [];
    const reply = { ok: true, claims: [{ task: { task_id: "late" }, attempt: 7 }] };
    for (const subject of ["tasks.next", "tasks.release.*"]) {
      nats.subscribe(subject, {
        callback: (_, message) => {
          requests.push({ subject: message.subject, ...message.json<Json>() });
          // The answer to the first request is lost.
          if (requests.length === 1) waiting.interrupt();
          else message.respond(JSON.stringify(reply));
        },
      });
    }
    const args = ["task", "next", "-s", "w", "--wait", "2m", "--instance", "i"];
    const waiting = new CliProcess(args, { env: { NATS_URL: server.url } });
    const { code, signal, stdout, stderr } = await waiting.exited;
    assert.deepEqual([code, signal, stdout, stderr], [null, "SIGINT", "", ""]);
    const [first, second, release] = requests;
    assert.deepEqual([requests.length, second.wait_seconds], [3, 0]);
    assert.equal(second.request_id, first.request_id);
    const { subject, attempt, session_id: session, instance, status } = release;
    assert.deepEqual(
      [subject, attempt, session, instance, status],
      ["tasks.release.late", 7, "w", "i", "available"],
    );
  });
});
