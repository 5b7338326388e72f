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
        history: {
          summary: "show what happened to a task",
          load: () => import("./task/history.ts"),
        },
        why: {
          summary: "say why nobody works on a task",
          load: () => import("./task/why.ts"),
        },
        wait: {
          summary: "wait until tasks are finished, or have another status",
          load: () => import("./task/wait.ts"),
        },
        create: { summary: "create a task", load: () => import("./task/create.ts") },
        claim: { summary: "claim a task for a session", load: () => import("./task/claim.ts") },
        next: {
          summary: "claim the most urgent ready task, or wait for one",
          load: () => import("./task/next.ts"),
        },
        renew: {
          summary: "renew the leases of claims, and report progress",
          load: () => import("./task/renew.ts"),
        },
        complete: { summary: "end claims as done", load: () => import("./task/complete.ts") },
        fail: { summary: "end claims as failed", load: () => import("./task/fail.ts") },
        release: {
          summary: "give claimed tasks back, which is not a failure",
          load: () => import("./task/release.ts"),
        },
        verify: {
          summary: "check whether a claim still holds its task",
          load: () => import("./task/verify.ts"),
        },
        update: {
          summary: "change the definition of a task",
          load: () => import("./task/update.ts"),
        },
        cancel: { summary: "cancel tasks", load: () => import("./task/cancel.ts") },
        requeue: {
          summary: "return finished tasks, or those of a dead holder, to the pool",
          load: () => import("./task/requeue.ts"),
        },
      },
    },
    watch: {
      summary: "show each change of a task as it happens",
      load: () => import("./watch.ts"),
    },
    run: {
      summary: "run a program for each task, so that any program is a worker",
      load: () => import("./run.ts"),
    },
  },
  "Sessions and state:": {
    session: {
      summary: "register, renew, list and end sessions",
      commands: {
        list: { summary: "list the registered sessions", load: () => import("./session/list.ts") },
        register: {
          summary: "register a session and what it can do",
          load: () => import("./session/register.ts"),
        },
        heartbeat: {
          summary: "renew a session and its claims; exit code 4 if it has lost one",
          load: () => import("./session/heartbeat.ts"),
        },
        unregister: {
          summary: "end a session and return its tasks to the pool",
          load: () => import("./session/unregister.ts"),
        },
      },
    },
    mcp: {
      summary: "serve the tasks to a coding agent, as tools of the Model Context Protocol",
      load: () => import("./mcp.ts"),
    },
    hook: {
      summary: "check the claims of a coding agent, for a hook of its client or of git",
      load: () => import("./hook.ts"),
    },
    setup: {
      summary: "add the tools to the configuration of a coding agent, or take them out again",
      load: () => import("./setup.ts"),
    },
    prime: {
      summary: "tell an agent how to take part, in a few lines",
      load: () => import("./prime.ts"),
    },
    stats: {
      summary: "count tasks, leases, sessions and workers",
      load: () => import("./stats.ts"),
    },
  },
  "Files of tasks:": {
    import: {
      summary: "create the tasks of a Markdown board, JSON, YAML, CSV, beads or Task Master",
      load: () => import("./import.ts"),
    },
    export: {
      summary: "write tasks to a file that import reads back",
      load: () => import("./export.ts"),
    },
  },
  "Run the coordinator:": {
    dev: {
      summary: "start a NATS server, workers and the HTTP endpoint on this machine",
      load: () => import("./dev.ts"),
    },
    serve: {
      summary: "run workers and the HTTP endpoint for a NATS server or cluster",
      load: () => import("./serve.ts"),
    },
    auth: {
      summary: "let only known agents and operators in, each under its own name",
      commands: {
        init: {
          summary: "make the keys, accounts and server configuration of a secured set-up",
          load: () => import("./auth/init.ts"),
        },
        "add-agent": {
          summary: "let an agent in, and write its credentials",
          load: () => import("./auth/add-agent.ts"),
        },
        "add-operator": {
          summary: "let an operator in, and write its credentials",
          load: () => import("./auth/add-operator.ts"),
        },
        list: { summary: "list agents and operators", load: () => import("./auth/list.ts") },
        rotate: {
          summary: "replace credentials; the old ones are refused at once",
          load: () => import("./auth/rotate.ts"),
        },
        revoke: {
          summary: "refuse an agent or operator from now on",
          load: () => import("./auth/revoke.ts"),
        },
        check: {
          summary: "try with credentials what must be refused; exit code 1 if something is not",
          load: () => import("./auth/check.ts"),
        },
        push: {
          summary: "give all accounts to the NATS server again",
          load: () => import("./auth/push.ts"),
        },
      },
    },
    audit: {
      summary: "show who changed what, and who was refused",
      load: () => import("./audit.ts"),
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
    doctor: {
      summary: "check servers, buckets, workers and tasks, and say what to do",
      load: () => import("./doctor.ts"),
    },
    race: {
      summary: "let many sessions claim the same tasks, and check that each task has one winner",
      load: () => import("./race.ts"),
    },
    prove: {
      summary: "judge the recorded history by the rules that a coordinator keeps",
      load: () => import("./prove.ts"),
    },
    simulate: {
      summary: "let simulated sessions work through a project and check what they did",
      load: () => import("./simulate.ts"),
    },
  },
};
