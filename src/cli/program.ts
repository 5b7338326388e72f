/** The commands of the table as a commander program. Their modules are loaded when they are called. */
import { Command } from "commander";
import { VERSION } from "../version.ts";
import { type CommandEntry, type CommandGroup, COMMANDS, isGroup } from "./command-table.ts";
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
    .showHelpAfterError("(--help shows the options; with npm start, put -- before them)")
    // Commands copy these options when they are added, so this comes first.
    .exitOverride()
    .configureOutput({
      writeErr: (text) => {
        printError(text.trimEnd(), "error");
      },
    });
  for (const [heading, entries] of Object.entries(COMMANDS)) {
    program.commandsGroup(heading);
    addCommands(program, entries, loaders);
  }
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
  entries: Readonly<Record<string, CommandEntry | CommandGroup>>,
  loaders: Map<Command, Loader>,
): void {
  for (const [name, entry] of Object.entries(entries)) {
    const command = parent
      .command(name)
      .summary(entry.summary)
      .description(sentence(entry.summary));
    if (isGroup(entry)) addCommands(command, entry.commands, loaders);
    else {
      loaders.set(command, async () => {
        loaders.delete(command);
        (await entry.load()).define(command);
      });
    }
  }
  parent.hook("preSubcommand", async (_, command) => loaders.get(command)?.());
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
