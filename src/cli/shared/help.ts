/** Parts of the help of a command. */
import type { Command } from "commander";

/**
 * Adds lines to copy, after the options. A line that begins with the command gets `if-coordinator` in front. Others
 * are lines of a shell as they are, such as a loop.
 */
export function addExamples(command: Command, examples: readonly string[]): Command {
  const path = pathOf(command);
  const [program = ""] = path.split(" ");
  const lines = examples.map((example) => {
    const isCommand = `${program} ${example} `.startsWith(`${path} `);
    return `  ${isCommand ? `${program} ` : ""}${example}`;
  });
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}

/** Such as `if-coordinator task get`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
