import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runCli } from "../../support/cli-process.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

describe("if-coordinator task history", () => {
  it("shows each event of a task, with its reason, result or error", async () => {
    const settings = { "retry.base_ms": 0, "retry.max_ms": 0 };
    await using coordinator = await TestCoordinator.start({ settings });
    const nats = ["--nats", coordinator.server.url];
    await coordinator.ok("tasks.create.a", { session_id: "lead" });
    const end = async (by: string, body: object): Promise<void> => {
      await coordinator.ok("tasks.claim.a", { session_id: by });
      await coordinator.ok("tasks.release.a", { session_id: by, ...body });
    };
    await end("s1", { status: "available", cause: "the disk\u001b[2J is full" });
    await end("s1", { status: "failed", error: { message: "no luck" } });
    await end("s2", { status: "complete", result: "x".repeat(100) });
    const { code, stdout, stderr } = await runCli(["task", "history", "a", ...nats]);
    assert.deepEqual([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert.equal(lines.length, 8);
    for (const [i, line] of [
      /^TIME +REVISION +EVENT +STATUS +SESSION +ATTEMPT +DETAILS$/,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +1 +created +available +lead +-$/,
      /Z +2 +claimed +claimed +s1 +1$/,
      /Z +3 +released +available +s1 +1 +the disk[^\u001b]+ is full$/,
      /Z +4 +claimed +claimed +s1 +2$/,
      /Z +5 +attempt_failed +available +s1 +2 +error \{"message":"no luck"\}/,
      /Z +6 +claimed +claimed +s2 +3$/,
      /Z +7 +completed +complete +s2 +3 +result x+…$/,
    ].entries()) {
      assert.match(lines[i] ?? "", line);
    }
    const json = await runCli(["task", "history", "a", ...nats, "--json"]);
    const { entries } = JSON.parse(json.stdout) as { entries: { revision: number }[] };
    assert.deepEqual(
      entries.map(({ revision }) => revision),
      [1, 2, 3, 4, 5, 6, 7],
    );
  });

  it("says that earlier records are gone, and that a task does not exist", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { history: 1 } });
    const nats = ["--nats", coordinator.server.url];
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const { code, stderr } = await runCli(["task", "history", "a", ...nats]);
    assert.deepEqual(
      [code, stderr],
      [0, "if-coordinator: earlier records are gone from the bucket\n"],
    );
    const missing = await runCli(["task", "history", "b", ...nats]);
    assert.deepEqual([missing.code, missing.stdout], [6, ""]);
  });
});
