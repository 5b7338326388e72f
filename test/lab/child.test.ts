import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Child } from "../../scripts/lab/child.ts";
import { CliProcess } from "../support/cli-process.ts";
import type { Methods } from "./child-program.ts";

const PROGRAM = fileURLToPath(new URL("child-program.js", import.meta.url));

describe("a child process", () => {
  it("answers one request after the other, and ends when its parent no longer needs it", async () => {
    const child = await Child.start<Methods>(PROGRAM, ["3"]);
    assert.equal(await child.ask("add", 4), 7);
    assert.equal(await child.ask("add", 5), 8);
    await child[Symbol.asyncDispose]();
    assert.throws(() => process.kill(child.pid, 0), { code: "ESRCH" });
  });

  it("says why a request failed, and answers the next one", async () => {
    await using child = await Child.start<Methods>(PROGRAM, ["3"]);
    await assert.rejects(child.ask("fail", "no such thing"), /no such thing/);
    assert.equal(await child.ask("add", 1), 4);
  });

  it("fails the request during which it dies, and those after it", async () => {
    await using child = await Child.start<Methods>(PROGRAM, ["3"]);
    await assert.rejects(child.ask("die"), /ended with 9/);
    await assert.rejects(child.ask("add", 1), /ended with 9/);
  });

  it("fails a request that takes longer than it may", async () => {
    await using child = await Child.start<Methods>(PROGRAM, ["3"], { timeoutMs: 2_000 });
    process.kill(child.pid, "SIGSTOP");
    try {
      await assert.rejects(child.ask("add", 1), { name: "AbortError" });
    } finally {
      process.kill(child.pid, "SIGCONT");
    }
  });

  it("tells a person who starts its program what starts it", async () => {
    await using program = new CliProcess([], { program: [process.execPath, PROGRAM] });
    const { code, stderr } = await program.exited;
    assert.equal(code, 2);
    assert.equal(stderr, "child-program.js is a part of child.test.ts, which starts it\n");
  });
});
