/** `if-coordinator hook`: what a client or git runs at an event. It never blocks without a coordinator. */
import { Argument, type Command } from "commander";
import { carryOut } from "./hook/carry-out.ts";
import { type EventName, EVENTS } from "./hook/events.ts";
import { DEFAULT_CLIENT } from "./hook/quick-answer.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addExamples } from "./shared/help.ts";
import { parseText } from "./shared/parse-values.ts";

interface HookOptions extends ConnectionOptions {
  readonly client: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<event>", "what happens").choices(EVENTS))
    .option("--client <name>", "the client that runs the hook", parseText, DEFAULT_CLIENT);
  addConnectionOptions(command).action((event: EventName, { client, ...connection }: HookOptions) =>
    carryOut(event, client, connection),
  );
  addExamples(command, [
    "hook pre-push  # in .git/hooks/pre-push",
    "hook pre-tool-use --client codex < event.json",
  ]);
}
