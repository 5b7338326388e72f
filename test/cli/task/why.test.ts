/** `task why` against a real coordinator. The words are tested in `test/cli/why`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type CliExit, runCli } from "../../support/cli-process.ts";
import { type Json, TestCoordinator } from "../../support/test-coordinator.ts";

describe("task why", () => {
  it("leads from a blocked task to the tasks that can move, and says what helps", async () => {
    await using coordinator = await TestCoordinator.start();
    const why = (id: string, ...args: string[]): Promise<CliExit> =>
      runCli(["task", "why", id, "--nats", coordinator.server.url, ...args]);
    const reason = async (id: string): Promise<Json> => {
      const { code, stdout, stderr } = await why(id, "--json");
      assert.deepEqual([code, stderr], [0, ""]);
      return JSON.parse(stdout).reason;
    };

    await coordinator.ok("tasks.create.top", { depends_on: ["left", "right", "nowhere"] });
    await coordinator.ok("tasks.create.left", { depends_on: ["held"], title: "Left side" });
    await coordinator.ok("tasks.create.right", { depends_on: ["held", "broken"] });
    await coordinator.ok("tasks.create.held");
    await coordinator.ok("tasks.create.broken", { max_failures: 1 });
    await coordinator.ok("tasks.claim.held", { session_id: "session-1", ttl_seconds: 600 });
    await coordinator.ok("tasks.renew.held", { session_id: "session-1", progress: { done: 3 } });
    await coordinator.ok("tasks.claim.broken", { session_id: "session-2" });
    await coordinator.ok("tasks.release.broken", {
      session_id: "session-2",
      status: "failed",
      error: "exit code 7",
    });

    const top = await why("top");
    assert.deepEqual([top.code, top.stderr], [0, ""]);
    const text = top.stdout.replace(/\b(\d+m)?\d+s\b/g, "0s");
    assert.equal(
      text,
      [
        "top is blocked by 5 tasks, of which 3 come first: 1 failed (broken), 1 missing (nowhere) and 1 claimed (held).",
        "",
        "top: blocked by 3 tasks",
        "  nowhere: does not exist",
        "  left (Left side): blocked by 1 task",
        '    held: claimed by session-1 for 0s, last sign of life 0s ago, lease ends in 0s, progress "{"done":3}"',
        "  right: blocked by 2 tasks (held: shown elsewhere)",
        '    broken: failed 0s ago, after 1 attempt, "exit code 7"',
        "",
        "What helps:",
        "  if-coordinator task create nowhere  # create the missing task",
        "  if-coordinator task requeue broken  # try it again",
        "",
      ].join("\n"),
    );

    const document = JSON.parse((await why("top", "--json", "--depth", "1")).stdout);
    assert.deepEqual([document.status, document.reason], ["blocked", { code: "blocked", by: 3 }]);
    assert.deepEqual(
      document.chain.map(({ task_id: id, level, not_shown: hidden }: Json) => [id, level, hidden]),
      [
        ["top", 0, 0],
        ["nowhere", 1, 0],
        ["left", 1, 1],
        ["right", 1, 2],
      ],
    );
    assert.deepEqual(
      document.ends.map(({ task_id: id, reason: { code } }: Json) => [id, code]),
      [
        ["nowhere", "missing"],
        ["broken", "failed"],
        ["held", "claimed"],
      ],
    );
    assert.deepEqual(document.ends[2].reason.lease.progress, { done: 3 });

    // Everything that can keep an available task from being worked on.
    await coordinator.ok("tasks.create.plain");
    assert.equal((await reason("plain")).code, "no_sessions");
    await coordinator.ok("sessions.register.session-1", { capabilities: ["python"] });
    assert.equal((await reason("plain")).code, "sessions_busy");
    await coordinator.ok("sessions.register.session-3");
    const idle = await reason("plain");
    assert.deepEqual([idle.code, idle.fitting, idle.busy], ["nobody_asks", 2, 1]);
    await coordinator.ok("tasks.create.special", { requires: ["python", "gpu"] });
    const special = await reason("special");
    assert.deepEqual([special.code, special.lacking], ["missing_capabilities", ["gpu"]]);
    const waiting = coordinator.request("tasks.next", {
      session_id: "session-3",
      prefix: "other",
      wait_seconds: 60,
    });
    await coordinator.until("tasks.stats", (stats) => stats.worker.waiting === 1);
    assert.equal((await reason("plain")).code, "not_chosen");
    await coordinator.ok("tasks.create.other");
    await waiting;

    await coordinator.ok("tasks.create.later", { not_before: "2999-01-01T00:00:00Z" });
    assert.equal((await reason("later")).code, "scheduled");
    await coordinator.ok("tasks.claim.plain", { session_id: "session-3" });
    await coordinator.ok("tasks.release.plain", {
      session_id: "session-3",
      status: "available",
      delay_seconds: 3_600,
      cause: "quota",
    });
    const back = await reason("plain");
    assert.deepEqual([back.code, back.by, back.reason], ["given_back", "session-3", "quota"]);

    const missing = await why("nobody");
    assert.deepEqual([missing.code, missing.stdout], [6, ""]);
    assert.match(missing.stderr, /^if-coordinator: .*nobody/);
    assert.equal((await why("not an id")).code, 2);
  });

  it("finds a cycle of records that were written by hand", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.put("a", JSON.stringify({ depends_on: ["b"] }));
    await bucket.put("b", JSON.stringify({ depends_on: ["a"] }));
    const { code, stdout } = await runCli(["task", "why", "a", "--nats", coordinator.server.url]);
    assert.equal(code, 0);
    assert.match(stdout, /^a can never start, because dependencies form a cycle: a -> b -> a\.\n/);
  });

  it("explains a graph of many layers with few requests and a short answer", async () => {
    await using coordinator = await TestCoordinator.start();
    const [layers, width] = [20, 100];
    const layer = (number: number): string[] =>
      Array.from({ length: width }, (_, i) => `l${number}-${i}`);
    for (let number = layers - 1; number >= 0; number--) {
      const tasks = layer(number).map((task_id, i) => ({
        task_id,
        depends_on: number === layers - 1 ? [] : [`l${number + 1}-${i}`, `l${number + 1}-0`],
      }));
      await coordinator.ok("tasks.import", { tasks });
    }
    await coordinator.ok("tasks.create.top", { depends_on: layer(0) });
    const requests = await coordinator.ok("tasks.stats");
    assert.equal(requests.total, layers * width + 1);
    const { code, stdout } = await runCli(["task", "why", "top", "--nats", coordinator.server.url]);
    assert.equal(code, 0);
    const lines = stdout.trimEnd().split("\n");
    assert.match(
      lines[0] ?? "",
      /^top is blocked by 2000 tasks, of which 100 come first: 100 ready/,
    );
    assert.ok(lines.length < 100, String(lines.length));
  });
});
