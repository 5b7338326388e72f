import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isGroup } from "../../src/cli/command-entry.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { complete, type Candidates } from "../../src/cli/completion/complete.ts";
import { runCli } from "../support/cli-process.ts";
import { installCommand } from "../support/nats-cli.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** What is offered after these words, without a coordinator. The last word is being typed. */
async function offered(...words: string[]): Promise<Candidates> {
  return complete(words, COMMANDS, () => Promise.resolve([]));
}

async function valuesAfter(...words: string[]): Promise<string[]> {
  return ((await offered(...words)) ?? assert.fail("file names")).map(({ value }) => value);
}

describe("completion", () => {
  it("offers the commands with their summaries, and the commands of a group", async () => {
    const [task] = (await offered("tas")) ?? [];
    assert.equal(task?.value, "task");
    assert.match(task.description, /claim/);
    assert.deepEqual(await valuesAfter("task", "cl"), ["claim"]);
  });

  it("offers the options of the command", async () => {
    const values = await valuesAfter("task", "get", "P0", "--");
    for (const option of ["--json", "--nats", "--help"]) assert.ok(values.includes(option), option);
    assert.ok(!values.includes("--ttl"), "an option of another command");
  });

  it("offers options for every command of the table", async () => {
    const paths = Object.values(COMMANDS)
      .flatMap((entries) => Object.entries(entries))
      .flatMap(([name, entry]) =>
        isGroup(entry) ? Object.keys(entry.commands).map((inner) => [name, inner]) : [[name]],
      );
    for (const path of paths) {
      assert.ok((await valuesAfter(...path, "--")).includes("--help"), path.join(" "));
    }
  });

  it("offers the options if a command takes no other argument", async () => {
    assert.ok((await valuesAfter("task", "get", "P0", "")).includes("--json"));
  });

  it("offers the values of a closed set", async () => {
    assert.deepEqual(await valuesAfter("completion", ""), ["bash", "zsh", "fish"]);
    assert.deepEqual(await valuesAfter("task", "list", "--status", "c"), [
      ...["claimed", "complete", "cancelled"],
    ]);
    assert.deepEqual(await valuesAfter("task", "list", "--status=failed,co"), ["failed,complete"]);
    assert.deepEqual(await valuesAfter("watch", "--type", "unb"), ["unblocked"]);
    assert.deepEqual(await valuesAfter("watch", "--type", "task_unb"), ["task_unblocked"]);
    const types = await valuesAfter("watch", "--type", "");
    assert.ok(types.includes("attempt_failed") && !types.includes("task_unblocked"));
    assert.deepEqual(await valuesAfter("dev", "--log-format", ""), ["pretty", "json"]);
  });

  it("leaves file names to the shell where one is expected, and after --", async () => {
    assert.equal(await offered("task", "get", "P0", "--creds", ""), null);
    assert.equal(await offered("task", "get", "--creds=~/a"), null);
    assert.equal(await offered("dev", "--store-dir", ""), null);
    assert.equal(await offered("task", "get", "--", ""), null);
    assert.equal(await offered("no-such-command", ""), null);
  });

  it("asks for ids where one is expected, with what is typed and the options before", async () => {
    const asked: unknown[] = [];
    const ask = (...words: string[]): Promise<Candidates> =>
      complete(words, COMMANDS, (kind, prefix, { path, values }) => {
        asked.push([kind, prefix, path, values]);
        return Promise.resolve([{ value: `${prefix}1`, description: "" }]);
      });
    assert.deepEqual(await ask("task", "claim", "--session", "s1", "P0."), [
      { value: "P0.1", description: "" },
    ]);
    await ask("task", "claim", "P0", "-s", "s");
    await ask("task", "create", "new");
    await ask("task", "create", "new", "--depends-on", "a,b");
    await ask("session", "heartbeat", "s");
    // The three words of bash.
    await ask("task", "get", "--context", "=", "pro");
    assert.deepEqual(asked, [
      ["task", "P0.", "task claim", { session: "s1" }],
      ["session", "s", "task claim", {}],
      ["task", "b", "task create", {}],
      ["session", "s", "session heartbeat", {}],
      ["context", "pro", "task get", {}],
    ]);
  });

  it("refuses a shell that it does not know", async () => {
    const { code, stderr } = await runCli(["completion", "tcsh"]);
    assert.equal(code, 2);
    assert.match(stderr, /no completion for "tcsh": use bash, zsh, fish/);
  });
});

describe("the completion scripts", () => {
  let folder: TempFolder;
  let env: Record<string, string>;

  before(async () => {
    folder = await TempFolder.create();
    const bin = installCommand(folder.path);
    env = { PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` };
  });

  after(() => folder[Symbol.asyncDispose]());

  /** What bash offers after these words. */
  async function bashOffers(words: readonly string[], nats: string): Promise<string[]> {
    const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    const script = [
      "source <(if-coordinator completion bash)",
      // bash allows compopt only while it completes.
      "compopt() { :; }",
      `COMP_WORDS=(if-coordinator ${quoted}) COMP_CWORD=${words.length}`,
      "_if_coordinator_completion",
      'printf "%s\\n" "${COMPREPLY[@]}"',
    ].join("\n");
    const { code, stdout, stderr } = await runCli(["-c", script], {
      program: ["bash"],
      env: { ...env, IF_COORDINATOR_NATS_SERVERS: nats },
    });
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout.trim().split("\n");
  }

  it("for bash completes commands, options, and the ids that the command can be about", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["P0.1", "P0.2", "P1.1"]) await coordinator.ok(`tasks.create.${id}`);
    await coordinator.ok("tasks.claim.P0.1", { session_id: "s1" });
    const { url } = coordinator.server;
    assert.deepEqual(await bashOffers(["task", "cl"], url), ["claim"]);
    assert.deepEqual(await bashOffers(["task", "get", "--js"], url), ["--json"]);
    assert.deepEqual(await bashOffers(["task", "get", "P0."], url), ["P0.1", "P0.2"]);
    assert.deepEqual(await bashOffers(["task", "claim", "P0."], url), ["P0.2"]);
  });

  it("for bash offers no ids, and returns soon, without a coordinator", async () => {
    assert.deepEqual(await bashOffers(["task", "get", "P0."], "nats://127.0.0.1:1"), [""]);
  });

  it("for bash runs nothing that stands on the command line", async () => {
    const file = join(folder.path, "written");
    const words = ["task", "get", `"$(touch ${file})"`, ">", file, "--js"];
    assert.deepEqual(await bashOffers(words, "nats://127.0.0.1:1"), ["--json"]);
    assert.equal(spawnSync("test", ["-e", file]).status, 1, "the file was written");
  });

  for (const shell of ["bash", "zsh", "fish"]) {
    // Not a skipped test, because no test depends on all shells.
    if (spawnSync(shell, ["--version"]).error !== undefined) continue;
    it(`for ${shell} is accepted by ${shell}`, async () => {
      const { code, stdout } = await runCli(["completion", shell]);
      assert.equal(code, 0);
      await using folder = await TempFolder.create();
      const file = join(folder.path, "script");
      await writeFile(file, stdout);
      const checked = spawnSync(shell, ["-n", file], { encoding: "utf8" });
      assert.deepEqual([checked.status, checked.stderr], [0, ""]);
    });
  }

  it("for zsh and fish ask the same program", async () => {
    for (const shell of ["zsh", "fish"]) {
      const { code, stdout } = await runCli(["completion", shell]);
      assert.equal(code, 0);
      assert.match(stdout, /if-coordinator completion complete -- /);
    }
  });
});
