/** `if-coordinator task create`: creates one task. */
import type { Command } from "commander";
import { createTask } from "../../client/create-task.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption } from "../shared/data.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { parseTaskId } from "../shared/parse-values.ts";
import { addQuietOption, type QuietOptions, showOrIds } from "../shared/quiet-option.ts";
import { addSessionOption, sessionOf, type SessionOption } from "../shared/session-option.ts";
import {
  addDefinitionOptions,
  definitionOf,
  type DefinitionOptions,
} from "./definition-options.ts";
import { formatCreated, printWarnings } from "./format-change.ts";

interface CreateOptions extends ConnectionOptions, QuietOptions, SessionOption, DefinitionOptions {}

export function define(command: Command): void {
  addDefinitionOptions(
    command.argument("[id]", "id of the task (default: a random one)", parseTaskId),
    { defaults: true },
  );
  addSessionOption(command);
  addConnectionOptions(addJsonOption(addQuietOption(command))).action(create);
  addExamples(command, [
    'task create P0.6.1 --title "Write the guide" --depends-on P0.5.1,P0.5.2',
    'task create --title "Look at the log" --payload @log.json --quiet',
    "task create nightly --not-before 2026-03-01T02:00:00Z --requires gpu --priority 0",
  ]);
}

async function create(given: string | undefined, options: CreateOptions): Promise<void> {
  // The id is made here, so that a repeated request cannot create a second task.
  const id = given ?? crypto.randomUUID();
  const input = {
    ...givenFields({ session_id: sessionOf(options) }),
    ...(await definitionOf(options)),
  };
  await withCalls(options, async ({ calls }) => {
    const reply = await createTask(calls, id, input);
    printWarnings(options, reply);
    await showOrIds(options, reply, [id], () => formatCreated(reply));
  });
}
