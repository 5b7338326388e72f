import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Child } from "../../bench/child.ts";

const PROGRAM = fileURLToPath(new URL("child-program.js", import.meta.url));

describe("a process of the benchmark", () => {
  it("answers one order after the other, and ends when it is no longer needed", async () => {
    const child = await Child.start<object>(PROGRAM, ["3"]);
    assert.equal(await child.ask({ add: 4 }), 7);
    assert.equal(await child.ask({ add: 5 }), 8);
    await child[Symbol.asyncDispose]();
    assert.throws(() => process.kill(child.pid, 0), { code: "ESRCH" });
  });

  it("says why it cannot do what it is told, and can do the next", async () => {
    await using child = await Child.start<object>(PROGRAM, ["3"]);
    await assert.rejects(child.ask({ fail: "no such thing" }), /no such thing/);
    assert.equal(await child.ask({ add: 1 }), 4);
  });

  it("fails whoever waits for it when it dies", async () => {
    await using child = await Child.start<object>(PROGRAM, ["3"]);
    await assert.rejects(child.ask({ die: true }), /ended with 9/);
  });
});
