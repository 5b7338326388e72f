import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { CommanderError } from "commander";
import { reportOf } from "../../src/cli/shared/error-report.ts";
import { ConfigError } from "../../src/config.ts";
import { NatsServerError } from "../../src/nats-server/dev-server.ts";
import { MAIN, runCli } from "../support/cli-process.ts";

describe("if-coordinator", () => {
  it("prints its version and its commands", async () => {
    const manifest = await readFile(new URL("../../../package.json", import.meta.url), "utf8");
    const { version } = JSON.parse(manifest) as { version: string };
    const shown = await runCli(["--version"]);
    assert.deepEqual([shown.code, shown.stdout], [0, `${version}\n`]);
    const help = await runCli(["--help"]);
    assert.equal(help.code, 0);
    for (const command of ["dev", "serve", "simulate"]) {
      assert.match(help.stdout, new RegExp(`^ +${command} `, "m"));
    }
  });

  it("shows each option of a command with its default", async () => {
    const { code, stdout } = await runCli(["dev", "--help"]);
    assert.equal(code, 0);
    const text = stdout.replace(/\s+/g, " ");
    for (const [option, value] of Object.entries({
      "--port": "4222",
      "--http-port": "9090",
      "--store-dir": ".if-coordinator",
      "--workers": "1",
    })) {
      assert.match(text, new RegExp(`${option} <\\w+> [^<]*\\(default: ${value}\\)`));
    }
  });

  it("exits with 2 for a wrong command, and suggests the right one", async () => {
    const option = await runCli(["dev", "--prot", "1"]);
    assert.equal(option.code, 2);
    assert.match(option.stderr, /unknown option '--prot'\n\(Did you mean --port\?\)/);
    const setting = await runCli(["dev", "--workers", "many"]);
    assert.deepEqual(
      [setting.code, setting.stderr],
      [2, 'if-coordinator: --workers must be a whole number from 1 to 64, not "many"\n'],
    );
    const variable = await runCli(["serve"], { env: { IF_COORDINATOR_WORKER: "1" } });
    assert.equal(variable.code, 2);
    assert.match(variable.stderr, /did you mean IF_COORDINATOR_WORKERS\?/);
    assert.equal((await runCli([])).code, 2, "no command at all");
  });

  it("shows the help of a command below a group, and suggests one for a wrong name", async () => {
    const expected = (await runCli(["task", "get", "--help"])).stdout;
    assert.match(expected, /Usage: if-coordinator task get \[options\] <id>/);
    for (const args of [
      ["help", "task", "get"],
      ["task", "help", "get"],
    ]) {
      const { code, stdout } = await runCli(args);
      assert.deepEqual([code, stdout], [0, expected], args.join(" "));
    }
    for (const args of [
      ["task", "gte", "X"],
      ["help", "task", "gte"],
    ]) {
      const { code, stderr } = await runCli(args);
      assert.equal(code, 2);
      assert.match(stderr, /unknown command 'gte'\n\(Did you mean get\?\)\n\(if-coordinator task /);
    }
  });

  it("takes the last value of an option, so that an alias can be overridden", async () => {
    const { code, stderr } = await runCli(["task", "get", "X", "--nats", "a:1", "--nats", "b:x"]);
    assert.equal(code, 2);
    assert.match(stderr, /has b:x, whose port is not a number/);
  });

  it("refuses an argument that is not UTF-8", async () => {
    const script = `"$0" "$1" task get "$(printf '\\377')"`;
    const broken = await runCli(["-c", script, process.execPath, MAIN], { program: ["/bin/sh"] });
    assert.equal(broken.code, 2);
    assert.match(broken.stderr, /^if-coordinator: argument 3 is not valid UTF-8/);
  });

  it("writes a wrong command line as JSON if it has --json", async () => {
    const { code, stdout, stderr } = await runCli(["task", "get", "--json"]);
    assert.deepEqual([code, stdout], [2, ""]);
    const { ok, error } = JSON.parse(stderr) as { ok: boolean; error: Record<string, unknown> };
    assert.deepEqual([ok, error.code], [false, "invalid_request"]);
    assert.match(String(error.message), /^missing required argument 'id'\n/);
  });

  it("says so in one sentence if the output cannot be written", async () => {
    const { code, stderr } = await runCli(
      ["-c", '"$0" "$1" --help > /dev/full', process.execPath, MAIN],
      {
        program: ["/bin/sh"],
      },
    );
    assert.equal(code, 1);
    assert.match(stderr, /^if-coordinator: the output cannot be written: ENOSPC[^\n]*\n$/);
  });
});

describe("the report of an error", () => {
  it("is its message, with exit code 1 for a failure and 2 for wrong settings", () => {
    assert.deepEqual(reportOf(new NatsServerError("port taken")), {
      text: "if-coordinator: port taken",
      exitCode: 1,
    });
    assert.equal(reportOf(new ConfigError(["bad"])).exitCode, 2);
  });

  it("is empty after help and after a message of commander", () => {
    const help = new CommanderError(0, "commander.helpDisplayed", "(outputHelp)");
    assert.deepEqual(reportOf(help), { text: undefined, exitCode: 0 });
    const unknown = new CommanderError(1, "commander.unknownOption", "error: unknown option");
    assert.deepEqual(reportOf(unknown), { text: undefined, exitCode: 2 });
  });

  it("has a stack only if the error is unexpected", () => {
    const { text, exitCode } = reportOf(new TypeError("x is not a function"));
    assert.equal(exitCode, 1);
    assert.match(text ?? "", /unexpected error\nTypeError: x is not a function\n +at /);
  });
});
