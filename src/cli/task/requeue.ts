/** `if-coordinator task requeue`: returns finished tasks, or tasks of a dead holder, to the pool. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions } from "../shared/data.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectIds, parseText } from "../shared/parse-values.ts";
import { addSessionOption, sessionOf, type SessionOption } from "../shared/session-option.ts";
import { showEach } from "./each-task.ts";
import { formatState } from "./format-change.ts";

interface RequeueOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly reason?: string;
}

export function define(command: Command): void {
  command
    .argument("<id...>", "ids of the tasks", collectIds)
    .option("--reason <text>", "why; kept in the event of the task", parseText);
  addSessionOption(command);
  addConnectionOptions(addJsonOption(command)).action(requeue);
  addExamples(command, [
    "task requeue P0.5.1",
    'task requeue P0.5.1 P0.5.2 --reason "the results were wrong"',
  ]);
}

async function requeue(ids: readonly string[], options: RequeueOptions): Promise<void> {
  const input = givenFields({ session_id: sessionOf(options), reason: options.reason });
  await withCalls(options, async ({ calls }) => {
    await showEach(ids, options, {
      ask: (id) => calls.call("tasks.requeue", id, () => input),
      format: formatState,
    });
  });
}
