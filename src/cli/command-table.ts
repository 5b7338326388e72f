/** Every command. Only the module of the command that is called is loaded, so each starts fast. */
import type { Command } from "commander";

/** A command's module. `define` adds its arguments, options, examples and action. */
export interface CommandModule {
  define(command: Command): void;
}

export interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export interface CommandGroup {
  readonly summary: string;
  readonly commands: Readonly<Record<string, CommandEntry>>;
}

/** By the heading under which the help lists them. */
export const COMMANDS: Readonly<
  Record<string, Readonly<Record<string, CommandEntry | CommandGroup>>>
> = {
  "Work with tasks:": {
    task: {
      summary: "create, claim, release and read tasks",
      commands: {
        get: { summary: "show one task", load: () => import("./task/get.ts") },
        list: { summary: "list tasks", load: () => import("./task/list.ts") },
        why: {
          summary: "say why nobody works on a task",
          load: () => import("./task/why.ts"),
        },
        claim: { summary: "claim a task for a session", load: () => import("./task/claim.ts") },
      },
    },
  },
  "Run the coordinator:": {
    dev: {
      summary: "start a NATS server, workers and the HTTP endpoint on this machine",
      load: () => import("./dev.ts"),
    },
    serve: {
      summary: "run workers and the HTTP endpoint against any NATS server or cluster",
      load: () => import("./serve.ts"),
    },
    health: {
      summary: "ask the workers on this machine whether they are ready; exit code 0 if they are",
      load: () => import("./health.ts"),
    },
  },
  "Check and learn:": {
    simulate: {
      summary: "let simulated sessions work through a project and check what they did",
      load: () => import("./simulate.ts"),
    },
  },
};

export function isGroup(entry: CommandEntry | CommandGroup): entry is CommandGroup {
  return "commands" in entry;
}
