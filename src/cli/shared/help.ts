/** Parts of the help of a command. */
import type { Command } from "commander";

/** Adds commands to copy, after the options. */
export function addExamples(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  if-coordinator ${example}`);
  return command.addHelpText("after", `\nExamples:\n${lines.join("\n")}`);
}
