/** Every command. Only the module of the command that is called is loaded, so each starts fast. */
import type { CommandTable } from "./command-entry.ts";

/** By the heading under which the help lists them. */
export const COMMANDS: CommandTable = {
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
    completion: {
      summary: "print the completion script for bash, zsh or fish",
      load: () => import("./completion.ts"),
    },
    simulate: {
      summary: "let simulated sessions work through a project and check what they did",
      load: () => import("./simulate.ts"),
    },
  },
};
