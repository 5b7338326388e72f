/** `if-coordinator hook`: what a client or git runs at an event. It never blocks without a coordinator. */
import { Argument, type Command } from "commander";
import { type EventName, EVENTS } from "./hook/events.ts";
import { DEFAULT_CLIENT } from "./hook/quick-answer.ts";
import { runHook } from "./hook/run-hook.ts";
import { tellClient } from "./hook/tell-client.ts";
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
  addConnectionOptions(command).action(
    async (event: EventName, { client, ...connection }: HookOptions) => {
      const finding = await runHook(event, client, connection);
      if (finding !== null) tellClient(finding);
    },
  );
  addExamples(command, [
    "hook pre-push  # in .git/hooks/pre-push",
    "hook pre-tool-use --client codex < event.json",
  ]);
}
