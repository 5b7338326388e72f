/** `prime` against a real coordinator: its commands work as they stand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CliExit, MAIN, runCli } from "../support/cli-process.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("prime", () => {
  it("prints commands with which an agent takes, reports and ends tasks", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);

    const { code, stdout, stderr } = await runCli(["prime", "--nats", url, "-s", "agent-1"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^You are session agent-1\. .*\nYou hold no task\. 3 ready tasks wait /);
    const run = async (what: string, id: string): Promise<string> => {
      const [, command = ""] = new RegExp(`^${what}: +(.*)$`, "m").exec(stdout) ?? [];
      const exit = await inShell(command.replace(" ID", ` ${id}`));
      assert.equal(exit.code, 0, `${command}\n${exit.stderr}`);
      return exit.stdout;
    };
    const statusOf = async (id: string): Promise<unknown> =>
      (await coordinator.ok(`tasks.get.${id}`)).task.status;

    assert.match(await run("Take", ""), /has claimed a \(attempt 1, 1800 s\)/);
    const now = await runCli(["prime", "--nats", url, "--session", "agent-1"]);
    assert.match(now.stdout, /^You hold a\. 2 ready tasks wait/m);
    await run("Progress", "a");
    assert.equal((await coordinator.ok("tasks.get.a")).lease.progress, "TEXT");
    await run("Done", "a");
    assert.equal(await statusOf("a"), "complete");
    await run("Take", "");
    await run("Not now", "b");
    assert.equal(await statusOf("b"), "available");
    await coordinator.ok("tasks.claim.c", { session_id: "agent-1" });
    await run("Failed", "c");
    assert.equal((await coordinator.ok("tasks.get.c")).task.error, "WHY");

    const json = JSON.parse(
      (await runCli(["prime", "--json", "--nats", url], { env: { IF_COORDINATOR_SESSION: "e" } }))
        .stdout,
    );
    assert.deepEqual([json.session_id, json.held, json.has_more], ["e", [], false]);
    assert.match(json.text, /^You are session e\. /);
  });

  it("works without a coordinator, with a session of its own", async () => {
    const { code, stdout } = await runCli(["prime", "--nats", "nats://127.0.0.1:1"]);
    assert.equal(code, 0);
    assert.match(stdout, /^You are session agent-[0-9a-f]{8}\. .*\nNo coordinator answers\. /);
    assert.match(stdout, /^Take: .* -s agent-[0-9a-f]{8} --nats nats:\/\/127\.0\.0\.1:1$/m);
    const wrong = await runCli(["prime", "--context", "nowhere"]);
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  });
});

/** Runs a command line as an agent does. */
function inShell(command: string): Promise<CliExit> {
  const script = `if-coordinator() { "${process.execPath}" "${MAIN}" "$@"; }\n${command}`;
  return runCli([script], { program: ["bash", "-c"] });
}
