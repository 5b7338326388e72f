/** `if-coordinator task get`: one task, as the bucket has it. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { parseTaskId } from "../shared/parse-values.ts";
import { formatTask } from "./format-task.ts";

export function define(command: Command): void {
  addConnectionOptions(
    addJsonOption(command.argument("<id>", "id of the task", parseTaskId)),
  ).action(get);
  addExamples(command, ["task get P0.5.1", "task get P0.5.1 --json | jq .task.status"]);
}

async function get(id: string, options: ConnectionOptions & OutputOptions): Promise<void> {
  await withCalls(options, async ({ calls }) => {
    const reply = await calls.call("tasks.get", id, () => ({}));
    await show(options, reply, () => formatTask(reply, Date.now()));
  });
}
