import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { CliProcess } from "../support/cli-process.ts";
import { TempFolder } from "../support/temp-folder.ts";

const PROGRAM = fileURLToPath(new URL("script-program.js", import.meta.url));

async function withScript<T>(
  args: readonly string[],
  use: (script: CliProcess) => Promise<T>,
): Promise<T> {
  await using folder = await TempFolder.create();
  const env = { TMPDIR: folder.path };
  await using script = new CliProcess(args, { env, program: [process.execPath, PROGRAM] });
  return await use(script);
}

/** The exit of the script, and whether its folder was still there. */
async function exitOf(...args: string[]) {
  return await withScript(args, async (script) => {
    const exit = await script.exited;
    const [folder = ""] = exit.stdout.split("\n");
    return { ...exit, isFolderKept: existsSync(folder) };
  });
}

describe("runScript", () => {
  it("prints the command first, removes the folder and exits with 0 if all is well", async () => {
    const { code, stderr, isFolderKept } = await exitOf("--seed", "7", "pass");
    assert.deepEqual(
      { code, stderr, isFolderKept },
      {
        ...{ code: 0, stderr: "npm run sample -- --seed 7 pass\n", isFolderKept: false },
      },
    );
  });

  it("keeps the folder, says how to repeat the run and exits with 1 after a failure", async () => {
    const { code, stdout, stderr, isFolderKept } = await exitOf("fail");
    assert.equal(code, 1);
    assert.ok(isFolderKept);
    assert.ok(stderr.includes(stdout.trim()), stderr);
    assert.match(stderr, /repeat it with:\n {2}npm run sample -- --seed \d+ fail\n$/);
  });

  it("prints the message of an error without its stack, and exits with 2", async () => {
    const { code, stderr, isFolderKept } = await exitOf("throw");
    assert.equal(code, 2);
    assert.ok(isFolderKept);
    assert.match(stderr, /^cannot be carried out$/m);
    assert.doesNotMatch(stderr, / at /);
  });

  it("does not keep a folder that nothing was written to", async () => {
    const { code, stderr, isFolderKept } = await exitOf("unused");
    assert.equal(code, 2);
    assert.ok(!isFolderKept);
    assert.doesNotMatch(stderr, /left behind/);
  });

  it("lets the run clean up when it is interrupted, and exits with 130", async () => {
    await withScript(["wait"], async (script) => {
      const [folder] = await script.waitFor(/\/.*if-coordinator-sample-\w+/);
      script.interrupt();
      const { code, stdout, stderr } = await script.exited;
      assert.equal(code, 130);
      assert.match(stdout, /cleaned up/);
      assert.match(stderr, /SIGINT: stopping/);
      assert.ok(!existsSync(folder));
    });
  });

  it("prints a list instead of a run on request", async () => {
    const { code, stdout, stderr } = await exitOf("--list");
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "pass\nfail\n", stderr: "" });
  });

  it("prints the usage text on --help", async () => {
    const { code, stdout, stderr } = await exitOf("--help");
    assert.equal(code, 0);
    assert.match(stdout, /^npm run sample -- \[options\] \[word\]\nDoes what its word says\.\n/);
    assert.equal(stderr, "");
  });

  it("answers an unknown option with one line and exits with 2", async () => {
    const { code, stdout, stderr } = await exitOf("--sed", "7");
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    assert.match(stderr, /^there is no option --sed: did you mean --seed\? .*--help\)\n$/);
  });
});
