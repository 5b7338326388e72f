/** `if-coordinator task fail`: ends claims whose work has failed. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions } from "../shared/data.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectIds } from "../shared/parse-values.ts";
import { readValue } from "../shared/read-value.ts";
import { showEach } from "./each-task.ts";
import { formatFailed } from "./format-change.ts";
import { addHolderOptions, holderOf, type HolderOptions } from "./holder-options.ts";

interface FailOptions extends ConnectionOptions, OutputOptions, HolderOptions {
  readonly error?: string;
  readonly retry: boolean;
}

export function define(command: Command): void {
  addHolderOptions(command.argument("<id...>", "ids of the tasks", collectIds))
    .option("--error <value>", "why: a text, JSON, @file, or - for standard input")
    .option("--no-retry", "the task is failed at once (default: after max_failures attempts)");
  addConnectionOptions(addJsonOption(command)).action(fail);
  addExamples(command, [
    'task fail P0.5.1 --session s1 --error "the build is broken"',
    "task fail P0.5.1 -s s1 --error @error.log --no-retry",
  ]);
}

async function fail(ids: readonly string[], options: FailOptions): Promise<void> {
  const holder = holderOf(options, ids);
  const { error: given, retry } = options;
  const error = given === undefined ? undefined : await readValue("--error", given);
  const end = { status: "failed" as const, retry, ...givenFields({ error }) };
  await withCalls(options, async ({ calls }) => {
    await showEach(ids, options, {
      ask: (id) => calls.call("tasks.release", id, () => ({ ...holder(id), ...end })),
      format: formatFailed,
    });
  });
}
