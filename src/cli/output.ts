/** What the commands write: results to stdout, remarks and errors to stderr. */
import pc from "picocolors";

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Rows of a name and a value, the values below each other. */
export function formatRows(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${pc.dim(name.padEnd(width))}  ${value}`).join("\n");
}

/** Commands to copy, one below the other. */
export function formatCommands(commands: readonly string[]): string {
  return commands.map((command) => `  ${pc.cyan(command)}`).join("\n");
}
