import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { wantsColors } from "../../src/config/terminal.ts";
import { runCli } from "../support/cli-process.ts";

describe("colours", () => {
  it("are for terminals, and NO_COLOR and FORCE_COLOR decide before", () => {
    const terminal = { isTTY: true };
    assert.equal(wantsColors(terminal, { TERM: "xterm" }), true);
    assert.equal(wantsColors(terminal, { TERM: "dumb" }), false);
    assert.equal(wantsColors(terminal, { NO_COLOR: "1", FORCE_COLOR: "1" }), false);
    assert.equal(wantsColors({}, { CI: "true" }), false);
    assert.equal(wantsColors({}, { FORCE_COLOR: "1" }), true);
    assert.equal(wantsColors(terminal, { FORCE_COLOR: "0" }), false);
  });

  it("are not in the output of a command that a CI reads", async () => {
    const env = { CI: "true", NO_COLOR: "", TERM: "xterm-256color" };
    const { stdout } = await runCli(["doctor", "--nats", "nats://127.0.0.1:1"], { env });
    assert.match(stdout, /✘ servers/);
    assert.ok(!stdout.includes("\x1b["));
  });
});
