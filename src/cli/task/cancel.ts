/** `if-coordinator task cancel`: cancels tasks. A session that holds one is asked to stop. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions } from "../shared/data.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectIds, parseText } from "../shared/parse-values.ts";
import { addSessionOption, sessionOf, type SessionOption } from "../shared/session-option.ts";
import { showEach } from "./each-task.ts";
import { formatCancelled } from "./format-change.ts";

interface CancelOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly reason?: string;
  readonly force?: true;
}

export function define(command: Command): void {
  command
    .argument("<id...>", "ids of the tasks", collectIds)
    .option("--reason <text>", "why; kept in the event of the task", parseText)
    .option("--force", "take a claimed task from its holder at once");
  addSessionOption(command);
  addConnectionOptions(addJsonOption(command)).action(cancel);
  addExamples(command, [
    'task cancel P0.5.1 P0.5.2 --reason "no longer needed"',
    "task cancel P0.5.1 --force",
  ]);
}

async function cancel(ids: readonly string[], options: CancelOptions): Promise<void> {
  const { reason, force } = options;
  const input = givenFields({ session_id: sessionOf(options), reason, force });
  await withCalls(options, async ({ calls }) => {
    await showEach(ids, options, {
      ask: (id) => calls.call("tasks.cancel", id, () => input),
      format: formatCancelled,
    });
  });
}
