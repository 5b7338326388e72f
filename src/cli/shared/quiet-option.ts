/** The option to print only ids, for scripts: `ID=$(if-coordinator task create --title X -q)`. */
import { type Command, Option } from "commander";
import { type OutputOptions, show, write } from "./data.ts";

export interface QuietOptions extends OutputOptions {
  readonly quiet?: boolean;
}

export function addQuietOption(command: Command): Command {
  return command.addOption(new Option("-q, --quiet", "print only the id").conflicts("json"));
}

/** As `show`, but with --quiet only the ids, one in each line. */
export async function showOrIds(
  options: QuietOptions,
  document: unknown,
  ids: readonly string[],
  text: () => string,
): Promise<void> {
  if (options.quiet === true) await write(ids.map((id) => `${id}\n`).join(""));
  else await show(options, document, text);
}
