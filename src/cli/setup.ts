/** `if-coordinator setup`: adds the tools to the configuration of a coding agent, or takes them out again. */
import { Argument, type Command, Option } from "commander";
import { CLIENTS, type ClientName, setUpOf } from "./setup/clients.ts";
import { readText, writeText } from "./setup/config-file.ts";
import { difference } from "./setup/difference.ts";
import { ConfigFileError } from "./setup/entry.ts";
import { ExitError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { print } from "./shared/output.ts";
import { parseText } from "./shared/parse-values.ts";
import { printableLines } from "./shared/terminal-text.ts";

interface SetupOptions {
  readonly user?: boolean;
  readonly check?: boolean;
  readonly remove?: boolean;
  readonly nats?: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<client>", "the coding agent").choices(CLIENTS))
    .option("--user", "the configuration of the user, not that of the project in this folder")
    .addOption(
      new Option("--check", "change nothing; exit code 1 if it is not set up").conflicts("remove"),
    )
    .option("--remove", "take the tools out again")
    .option(
      "--nats <url,...>",
      "NATS servers, if the agent's environment does not name them",
      parseText,
    )
    .action(setUp);
  addExamples(command, [
    "setup claude",
    "setup codex --user --nats nats://host:4222",
    "setup cursor --check",
    "setup gemini --remove",
  ]);
}

function setUp(client: ClientName, options: SetupOptions): void {
  const { user = false, check = false, remove = false, nats } = options;
  const args = ["mcp", ...(nats === undefined ? [] : ["--nats", nats])];
  const { file, add, has, remove: withoutIt } = setUpOf(client, user, args);
  try {
    const before = readText(file);
    const text = before ?? "";
    if (check) {
      if (before === null || !has(text)) throw new ExitError(EXIT.failed, `${file} is not set up`);
      print(`${file} is set up`);
      return;
    }
    const after = remove ? withoutIt(text) : add(text);
    if (after === text) {
      print(remove ? `${file} has nothing of it` : `${file} is set up already`);
      return;
    }
    writeText(file, after);
    print([file, ...difference(text, after).map(printableLines)].join("\n"));
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    const message = error.message.startsWith(file) ? error.message : `${file}: ${error.message}`;
    throw new ExitError(EXIT.failed, `${message}\n(nothing was changed)`);
  }
}
