import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Command } from "commander";
import { createProgram } from "../../src/cli/program.ts";
import { EXIT, EXIT_OF_CODE } from "../../src/cli/shared/exit-codes.ts";
import { read, section, table } from "../support/markdown.ts";

/** Sections that are about no single command. */
const GENERAL = ["Output", "Connection", "Session", "Exit codes"];
const MORE = ["Values", "Several tasks", "Claims", "Example tasks"];

describe("docs/cli.md", async () => {
  const document = read("docs/cli.md");
  const program = createProgram();
  await program.loadAll();
  const commands = leavesOf(program.command);
  const shared = section(document, "Connection") + section(document, "Session");

  it("has a section for every command, and for nothing else", () => {
    const known = [...GENERAL, ...MORE];
    const described = [...document.matchAll(/^## (.+)$/gm)].map(([, heading = ""]) => heading);
    assert.deepEqual(
      described.filter((heading) => !known.includes(heading)).sort(),
      commands.map(pathOf).sort(),
    );
  });

  it("names every option of a command in its section, or with those that many have", () => {
    const missing = commands.flatMap((command) => {
      const text = section(document, pathOf(command));
      return command.options
        .map(({ long, short }) => long ?? short ?? "")
        .filter((option) => !names(text, option) && !isShared(command, option))
        .map((option) => `${pathOf(command)} ${option}`);
    });
    assert.deepEqual(missing, []);
  });

  it("lists every exit code", () => {
    const listed = table(section(document, "Exit codes"), "Code").map(({ Code }) => Number(Code));
    assert.deepEqual(listed, Object.values(EXIT));
  });

  it("gives every error code its exit code", () => {
    const rows = table(section(document, "Exit codes"), "Exit code");
    const listed = rows.flatMap(({ "Exit code": exit, "Error codes": codes = "" }) =>
      codes.split(", ").map((code) => [code, Number(exit)] as const),
    );
    assert.deepEqual(Object.fromEntries(listed), EXIT_OF_CODE);
  });

  function isShared({ options }: Command, option: string): boolean {
    // Only commands that talk to a coordinator have this option.
    return options.some(({ long }) => long === "--context") && names(shared, option);
  }
});

function leavesOf(command: Command): Command[] {
  const below = command.commands.filter((one) => one.name() !== "help");
  return below.flatMap((one) => (one.commands.length === 0 ? [one] : leavesOf(one)));
}

/** Without the name of the program. */
function pathOf(command: Command): string {
  const above = command.parent?.parent == null ? "" : `${pathOf(command.parent)} `;
  return `${above}${command.name()}`;
}

function names(text: string, option: string): boolean {
  return new RegExp(`(^|[^\\w-])${option}(?![\\w-])`).test(text);
}
