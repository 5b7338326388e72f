/** The commands of the table as a commander program. Their modules are loaded when they are called. */
import { Command, type CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { type CommandEntries, isGroup } from "./command-entry.ts";
import { COMMANDS } from "./command-table.ts";
import { UsageError } from "./shared/errors.ts";
import { pathOf } from "./shared/help.ts";
import { printError } from "./shared/output.ts";

type Loader = () => Promise<void>;

export interface Program {
  readonly command: Command;
  /** Loads and defines every command, for completion. A program that parses needs only one. */
  loadAll(): Promise<void>;
}

export function createProgram(): Program {
  const loaders = new Map<Command, Loader>();
  const program = new Command("if-coordinator")
    .description("Task coordination for swarms of AI agents, native to NATS")
    .version(VERSION)
    .showSuggestionAfterError()
    // Commands copy this when they are added, so it comes first.
    .configureOutput({
      // `main.ts` writes errors, because they are JSON if the user wants that.
      outputError: () => undefined,
      writeErr: (text) => {
        printError(text.trimEnd(), "error");
      },
    });
  throwErrors(program);
  for (const [heading, entries] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    addCommands(program, entries, loaders);
  }
  program.commandsGroup("Help:");
  addHelpCommand(program, loaders);
  program.addHelpText(
    "after",
    "\nEvery setting of dev and serve can also be an environment variable (IF_COORDINATOR_...) or be set in the\n" +
      "YAML file that --config names. Start with: if-coordinator dev",
  );
  const loadAll = async (): Promise<void> => {
    await Promise.all([...loaders.values()].map((load) => load()));
  };
  return { command: program, loadAll };
}

function addCommands(
  parent: Command,
  entries: CommandEntries,
  loaders: Map<Command, Loader>,
): void {
  for (const [name, entry] of Object.entries(entries)) {
    const command = parent
      .command(name)
      .summary(entry.summary)
      .description(sentence(entry.summary));
    throwErrors(command);
    if (isGroup(entry)) {
      addCommands(command, entry.commands, loaders);
      addHelpCommand(command, loaders);
    } else {
      loaders.set(command, async () => {
        loaders.delete(command);
        (await entry.load()).define(command, COMMANDS);
      });
    }
  }
  parent.hook("preSubcommand", async (_, command) => loaders.get(command)?.());
}

/** `help task get` does what `task get --help` does. The help command of commander takes only one name. */
function addHelpCommand(group: Command, loaders: Map<Command, Loader>): void {
  group
    .helpCommand(false)
    .command("help")
    .summary("show the help of a command")
    .description("Show the help of a command.")
    .argument("[command...]", "its name, such as: task get")
    .action(async (names: readonly string[]) => {
      let command = group;
      for (const name of names) {
        if (command.commands.length === 0) break;
        const next = command.commands.find((candidate) => candidate.name() === name);
        // This way, commander suggests the command that was probably meant.
        if (next === undefined) await command.parseAsync([name], { from: "user" });
        else command = next;
      }
      await loaders.get(command)?.();
      command.help();
    });
}

/** A mistake in the command line is thrown with the way to the help; help and version end by an "error", too. */
function throwErrors(command: Command): void {
  command.exitOverride((error: CommanderError) => {
    if (error.exitCode === 0 || error.code === "commander.help") throw error;
    const path = pathOf(command);
    const hint =
      command.commands.length === 0
        ? `(${path} --help shows the arguments and options)`
        : `(${path} --help lists the commands; options come after the command)`;
    const message = error.message.replace(/^error: (command-argument value )?/, "");
    throw new UsageError(`${message}\n${hint}`);
  });
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
