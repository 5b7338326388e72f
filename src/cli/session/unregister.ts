/** `if-coordinator session unregister`: ends a session and returns its tasks to the pool. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import type { SessionOption } from "../shared/session-option.ts";
import { printable } from "../shared/terminal-text.ts";
import { addNamedSession, sessionNamed } from "./named-session.ts";

interface UnregisterOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly instance?: string;
}

export function define(command: Command): void {
  addNamedSession(command).option(
    "--instance <text>",
    "only the claims of this process of the session",
  );
  addConnectionOptions(addJsonOption(command)).action(unregister);
  addExamples(command, ["session unregister s1"]);
}

async function unregister(given: string | undefined, options: UnregisterOptions): Promise<void> {
  const { instance } = options;
  const id = sessionNamed(given, options);
  await withCalls(options, async ({ calls }) => {
    const body = instance === undefined ? {} : { instance };
    const reply = await calls.call("sessions.unregister", id, () => body);
    await show(options, reply, () => {
      const { released } = reply;
      const back = released.length === 0 ? "it held no task" : `released: ${released.join(", ")}`;
      return printable(`${id} is no longer registered; ${back}`);
    });
  });
}
