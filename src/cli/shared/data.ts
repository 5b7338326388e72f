/**
 * What a command writes to standard output: only data, so that another program can read it. Notices and errors
 * go to standard error, by `printError`.
 */
import { once } from "node:events";
import { type Command, Option } from "commander";
import { jsonText } from "./json-text.ts";

export interface OutputOptions {
  readonly json?: boolean;
  readonly jsonl?: boolean;
}

export function addJsonOption(command: Command): Command {
  return command.option("--json", "print one JSON document");
}

/** For a command that prints one thing after the other. */
export function addJsonlOption(command: Command): Command {
  return command.addOption(new Option("--jsonl", "print one JSON document in each line"));
}

/** Prints the document as JSON if the user wants that, otherwise the text. */
export async function show(
  { json }: OutputOptions,
  document: unknown,
  text: () => string,
): Promise<void> {
  await write(`${json === true ? jsonText(document, 2) : text()}\n`);
}

/** Resolves when the reader can take more, so a slow reader does not fill the memory. */
export async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Whether the arguments ask for JSON. It is needed before the command line is parsed, for errors. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args
    .slice(0, end === -1 ? undefined : end)
    .some((arg) => arg === "--json" || arg === "--jsonl");
}
