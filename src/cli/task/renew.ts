/** `if-coordinator task renew`: renews the leases of claims, and reports progress. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions } from "../shared/data.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectIds, parseSeconds } from "../shared/parse-values.ts";
import { readValue } from "../shared/read-value.ts";
import { showEach } from "./each-task.ts";
import { formatRenewed } from "./format-change.ts";
import { cleared } from "./definition-options.ts";
import { addHolderOptions, holderOf, type HolderOptions } from "./holder-options.ts";

interface RenewOptions extends ConnectionOptions, OutputOptions, HolderOptions {
  readonly ttl?: number;
  readonly progress?: string | false;
}

export function define(command: Command): void {
  addHolderOptions(command.argument("<id...>", "ids of the tasks", collectIds))
    .option("--ttl <duration>", "a new length of the lease (default: as before)", parseSeconds)
    .option("--progress <value>", "how far the work is: JSON, a text, @file, or -")
    .option("--no-progress", "delete the last report");
  addConnectionOptions(addJsonOption(command)).action(renew);
  addExamples(command, [
    "task renew P0.5.1 --session s1",
    'task renew P0.5.1 -s s1 --progress "3 of 10 files"',
    "while if-coordinator task renew P0.5.1 -s s1; do sleep 60; done",
  ]);
}

async function renew(ids: readonly string[], options: RenewOptions): Promise<void> {
  const { ttl, progress } = options;
  const holder = holderOf(options, ids);
  const report = givenFields({
    ttl_seconds: ttl,
    progress:
      typeof progress === "string" ? await readValue("--progress", progress) : cleared(progress),
  });
  await withCalls(options, async ({ calls }) => {
    await showEach(ids, options, {
      ask: (id) => calls.call("tasks.renew", id, () => ({ ...holder(id), ...report })),
      format: (reply, id) => `${holder(id).session_id} ${formatRenewed(reply, id)}`,
      exitCode: (reply) => (reply.cancel_requested ? EXIT.stopRequested : EXIT.done),
    });
  });
}
