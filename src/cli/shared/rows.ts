/** Rows and commands in the text that a command writes. */
import { colors } from "./colors.ts";

/** Rows of a name and a value, with the values aligned. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${colors.dim(name.padEnd(width))}  ${value}`).join("\n");
}

/** Commands to copy, one on each line. */
export function formatCommands(commands: readonly string[]): string {
  return commands.map((command) => `  ${colors.cyan(command)}`).join("\n");
}
