/** What the table of the commands consists of. */
import type { Command } from "commander";

/** A command's module. */
export interface CommandModule {
  /**
   * Adds the command's arguments, options, examples and action.
   *
   * @param table for the command that is about the others
   */
  define(command: Command, table: CommandTable): void;
}

export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export interface CommandGroup {
  readonly summary: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
}

export type CommandEntries = Readonly<Record<string, CommandEntry | CommandGroup>>;

/** By the heading under which the help lists them. */
export type CommandTable = Readonly<Record<string, CommandEntries>>;

export function isGroup(entry: CommandEntry | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}
