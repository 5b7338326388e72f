import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CliExit, MAIN, runCli } from "../support/cli-process.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

let coordinator: TestCoordinator;
before(async () => {
  coordinator = await TestCoordinator.start();
  for (let i = 0; i < 50; i++)
    await coordinator.ok(`tasks.create.t.${i}`, { title: "x".repeat(4_000) });
});
after(() => coordinator[Symbol.asyncDispose]());

function task(...args: string[]): Promise<CliExit> {
  const env = { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "s1" };
  return runCli(["task", ...args], { env });
}

/** A script of the shell, in which `$cli` is the command line. */
function shell(script: string): Promise<CliExit> {
  return runCli(["-c", `cli="$0 $1"; ${script}`, process.execPath, MAIN], {
    program: ["/bin/bash"],
    env: { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "s1" },
  });
}

describe("input that is wrong", () => {
  it("is refused in a sentence, with exit code 2", async () => {
    await using folder = await TempFolder.create();
    const large = join(folder.path, "large.txt");
    await writeFile(large, "x".repeat(2_000_000));
    const cases: readonly (readonly [RegExp, string[]])[] = [
      [/unknown option '--jsno'\n\(Did you mean --json\?\)/, ["get", "a", "--jsno"]],
      [/missing required argument 'id'/, ["claim"]],
      [/'' is invalid for argument 'id'\. The id of a task has 1 to 256/, ["get", ""]],
      [/The id of a task has 1 to 256 .*; without "\*"/, ["get", "a*"]],
      [/The id of a task has 1 to 256/, ["get", "x".repeat(300)]],
      [/The id of a session has .*use "\." or "-" instead of " "/, ["claim", "a", "-s", "me too"]],
      [/argument '' is invalid\. The id of a session/, ["claim", "a", "--session", ""]],
      [/It must be a duration/, ["claim", "a", "--ttl", "soon"]],
      [/number of whole seconds/, ["claim", "a", "--ttl", "1500ms"]],
      [/--ttl: must be between 1 and 86400/, ["claim", "t.1", "--ttl", "2d"]],
      [/must not be longer than 36500d/, ["next", "--wait", `${"9".repeat(30)}d`]],
      [/It must be a whole number/, ["next", "--max", "99999999999999999999"]],
      [/It must be a whole number/, ["next", "--max", "-1"]],
      [/--priority: must be between 0/, ["create", "p", "--priority", "9"]],
      [/It must be a time such as/, ["create", "p", "--not-before", "tomorrow"]],
      [/It must be a time such as/, ["create", "p", "--not-before", "2026-13-01T00:00:00Z"]],
      [/The id of a task/, ["create", "p", "--depends-on", "a,b c"]],
      [/--metadata must be name=text or a JSON object/, ["create", "p", "--metadata", "7"]],
      [/number 1e400 would become null/, ["create", "p", "--payload", '{"n":1e400}']],
      [/65536/, ["create", "p", "--payload", "x".repeat(100_000)]],
      [/NATS server takes \d+/, ["create", "p", "--description", `@${large}`]],
      [/cannot be used with option/, ["release", "t.1", "--delay", "1s", "--resume-at", "+1h"]],
      [/cannot both read standard input/, ["create", "p", "--metadata", "-", "--metadata", "-"]],
    ];
    for (const [text, args] of cases) {
      const { code, stdout, stderr } = await task(...args);
      assert.deepEqual([code, stdout], [2, ""], `${args.join(" ").slice(0, 200)}: ${stderr}`);
      assert.match(stderr, text);
      assert.doesNotMatch(stderr, /\n +at /, "no stack");
      assert.ok(stderr.length < 2_000, "short");
    }
    const { ok, error } = await coordinator.request("tasks.get.p");
    assert.deepEqual([ok, error.code], [false, "not_found"], "nothing was created");
  });

  it("needs a session, and says how to name it", async () => {
    const env = { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "" };
    const { code, stderr } = await runCli(["task", "claim", "t.1"], { env });
    assert.equal(code, 2);
    assert.match(stderr, /no session: give --session <id>, or set IF_COORDINATOR_SESSION/);
  });
});

describe("the streams of a command", () => {
  it("can be closed by others before it has written", async () => {
    for (const [script, expected] of [
      ["$cli task list | head -n 1; echo ${PIPESTATUS[0]}", /^ID .*\n0\n$/],
      ["$cli task list --jsonl 2>&- | head -c 1; echo ${PIPESTATUS[0]}", /^\{0\n$/],
      ["{ $cli task get nope 2>&1 >&3 3>&- | :; } 3>&1; echo ended", /^ended\n$/],
      ["$cli task get t.1 <&- >&- 2>&-; echo $?", /^0\n$/],
      ["$cli task get nope >&- 2>&-; echo $?", /^6\n$/],
      ["$cli --help | true; echo ${PIPESTATUS[0]}", /^0\n$/],
    ] as const) {
      const { code, stdout, stderr } = await shell(script);
      assert.deepEqual([code, stderr], [0, ""], script);
      assert.match(stdout, expected, script);
    }
  });

  it("keep data and messages apart", async () => {
    const failed = await task("get", "nope", "--json");
    assert.deepEqual([failed.code, failed.stdout], [6, ""]);
    assert.equal(failed.stderr.split("\n").length, 2, "one line");
  });
});
