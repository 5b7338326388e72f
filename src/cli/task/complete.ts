/** `if-coordinator task complete`: ends claims whose work is done. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions } from "../shared/data.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectIds } from "../shared/parse-values.ts";
import { readValue } from "../shared/read-value.ts";
import { showEach } from "./each-task.ts";
import { formatState } from "./format-change.ts";
import { addHolderOptions, holderOf, type HolderOptions } from "./holder-options.ts";

interface CompleteOptions extends ConnectionOptions, OutputOptions, HolderOptions {
  readonly result?: string;
}

export function define(command: Command): void {
  addHolderOptions(command.argument("<id...>", "ids of the tasks", collectIds)).option(
    "--result <value>",
    "what came out: JSON, a text, @file, or - for standard input",
  );
  addConnectionOptions(addJsonOption(command)).action(complete);
  addExamples(command, [
    "task complete P0.5.1 --session s1",
    "task complete P0.5.1 -s s1 --result '{\"files\":3}'",
    "./work.sh | if-coordinator task complete P0.5.1 -s s1 --result -",
  ]);
}

async function complete(ids: readonly string[], options: CompleteOptions): Promise<void> {
  const holder = holderOf(options, ids);
  const { result: given } = options;
  const result = given === undefined ? undefined : await readValue("--result", given);
  const end = { status: "complete" as const, ...givenFields({ result }) };
  await withCalls(options, async ({ calls }) => {
    await showEach(ids, options, {
      ask: (id) => calls.call("tasks.release", id, () => ({ ...holder(id), ...end })),
      format: formatState,
    });
  });
}
