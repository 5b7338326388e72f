import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CommandEntries, isGroup } from "../../src/cli/command-entry.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { runCli } from "../support/cli-process.ts";

const names = Object.values(COMMANDS).flatMap((entries) => Object.keys(entries));
const paths = Object.values(COMMANDS).flatMap((entries) => pathsOf(entries));

describe("every command", () => {
  for (const path of paths) {
    const name = path.join(" ");

    it(`has help with examples: ${name}`, async () => {
      const { code, stdout, stderr } = await runCli([...path, "--help"]);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`^Usage: if-coordinator ${name} `));
      assert.match(stdout, new RegExp(`\nExamples:\n(.*\n)*.*if-coordinator ${name}\\b`));
      const called = [...stdout.matchAll(/if-coordinator ([a-z]+)(?=[ =\n])/g)].map(
        ([, word = ""]) => word,
      );
      assert.deepEqual(
        [...new Set(called)].filter((word) => !names.includes(word)),
        [],
      );
    });

    it(`refuses nonsense in sentences: ${name}`, async () => {
      const nonsense = ["\u001b[31m <nonsense> \u202e", "--nats", "", "--no-such-option"];
      const { code, stdout, stderr } = await runCli([...path, ...nonsense]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, /^if-coordinator: [^\n]+\n/);
      assert.doesNotMatch(stderr, /\n +at |\u001b|\u202e|undefined/);
    });
  }
});

function pathsOf(entries: CommandEntries, above: readonly string[] = []): string[][] {
  return Object.entries(entries).flatMap(([name, entry]) => {
    const path = [...above, name];
    return isGroup(entry) ? pathsOf(entry.commands, path) : [path];
  });
}
