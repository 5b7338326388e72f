/** `if-coordinator task update`: changes the definition of a task. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { UsageError } from "../shared/errors.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { parseCount, parseTaskId } from "../shared/parse-values.ts";
import { addSessionOption, sessionOf, type SessionOption } from "../shared/session-option.ts";
import {
  addDefinitionOptions,
  definitionOf,
  type DefinitionOptions,
} from "./definition-options.ts";
import { formatState, printWarnings } from "./format-change.ts";

interface UpdateOptions extends ConnectionOptions, OutputOptions, SessionOption, DefinitionOptions {
  readonly ifRevision?: number;
}

export function define(command: Command): void {
  addDefinitionOptions(command.argument("<id>", "id of the task", parseTaskId), { defaults: false })
    .option("--no-description", "without a description")
    .option("--no-payload", "without a payload")
    .option("--no-not-before", "claimable at once")
    .option("--if-revision <n>", "only if the record still has this revision", parseCount);
  addSessionOption(command);
  addConnectionOptions(addJsonOption(command)).action(update);
  addExamples(command, [
    "task update P0.5.1 --priority 0 --tag urgent",
    "task update P0.5.1 --depends-on P0.4.1 --no-description",
    "task update P0.5.1 --not-before +2h --if-revision 17",
  ]);
}

async function update(id: string, options: UpdateOptions): Promise<void> {
  const changes = await definitionOf(options);
  if (Object.keys(changes).length === 0) {
    throw new UsageError("nothing to change: name a new value, such as --priority 0");
  }
  const asked = givenFields({ session_id: sessionOf(options), revision: options.ifRevision });
  await withCalls(options, async ({ calls }) => {
    const reply = await calls.call("tasks.update", id, () => ({ ...asked, ...changes }));
    printWarnings(options, reply);
    await show(
      options,
      reply,
      () => `updated ${id} (revision ${reply.revision}): ${formatState(reply)}`,
    );
  });
}
