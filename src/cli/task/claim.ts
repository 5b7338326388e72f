/** `if-coordinator task claim`: claims one task for a session. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { collectList, parseSeconds, parseTaskId } from "../shared/parse-values.ts";
import { addSessionOption, requireSession } from "../shared/session-option.ts";
import { formatClaim } from "./format-task.ts";
import { addInstanceOption, type InstanceOption } from "./holder-options.ts";

interface ClaimOptions extends ConnectionOptions, OutputOptions, InstanceOption {
  readonly ttl?: number;
  readonly capability?: readonly string[];
}

export function define(command: Command): void {
  addInstanceOption(addSessionOption(command.argument("<id>", "id of the task", parseTaskId)))
    .option("--ttl <duration>", "length of the lease, such as 10m (default: 5m)", parseSeconds)
    .option("--capability <name,...>", "what the session can do; can be repeated", collectList);
  addConnectionOptions(addJsonOption(command)).action(claim);
  addExamples(command, [
    "task claim P0.5.1 --session s1 && ./work.sh",
    "task claim P0.5.1 --session s1 --ttl 30m --json",
  ]);
}

async function claim(id: string, options: ClaimOptions): Promise<void> {
  const { ttl, capability, instance } = options;
  const session_id = requireSession(options);
  await withCalls(options, async ({ calls }) => {
    const body = {
      session_id,
      ...(instance === undefined ? {} : { instance }),
      ...(ttl === undefined ? {} : { ttl_seconds: ttl }),
      ...(capability === undefined ? {} : { capabilities: [...capability] }),
    };
    const reply = await calls.call("tasks.claim", id, () => body);
    await show(options, reply, () => formatClaim(reply));
  });
}
