/** `if-coordinator task history`: what happened to one task, as far back as the bucket goes. */
import type { Command } from "commander";
import type { Calls } from "../../client/calls.ts";
import type { Reply } from "../../protocol/operations.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { printError } from "../shared/output.ts";
import { formatHistory } from "./format-history.ts";

type Entries = Reply<"tasks.history">["entries"];

export function define(command: Command): void {
  addConnectionOptions(addJsonOption(command.argument("<id>", "id of the task"))).action(history);
  addExamples(command, [
    "task history P0.5.1",
    "task history P0.5.1 --json | jq '.entries[].task.last_event'",
  ]);
}

async function history(id: string, options: ConnectionOptions & OutputOptions): Promise<void> {
  await withCalls(options, async ({ calls }) => {
    const entries = await entriesOf(calls, id);
    const document = { ok: true, entries, has_more: false };
    await show(options, document, () => formatHistory(entries));
    const first = entries.at(0)?.task;
    const isWhole = first?.last_event?.old_status === null || first?.last_event === null;
    if (!isWhole && options.json !== true) {
      printError("if-coordinator: earlier records are gone from the bucket");
    }
  });
}

/** A page ends before a reply is too large, so one task may need several. */
async function entriesOf(calls: Calls, id: string): Promise<Entries> {
  const entries: Entries = [];
  for (;;) {
    const since = entries.at(-1)?.revision ?? 0;
    const page = await calls.call("tasks.history", id, () => ({ since }));
    entries.push(...page.entries);
    if (!page.has_more || page.entries.length === 0) return entries;
  }
}
