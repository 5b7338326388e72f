/** `if-coordinator task release`: gives claimed tasks back. It is not a failure. */
import { type Command, Option } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions } from "../shared/data.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectIds, parseDuration, parseText, parseTime } from "../shared/parse-values.ts";
import { showEach } from "./each-task.ts";
import { formatState } from "./format-change.ts";
import { addHolderOptions, holderOf, type HolderOptions } from "./holder-options.ts";

interface ReleaseOptions extends ConnectionOptions, OutputOptions, HolderOptions {
  /** Milliseconds. */
  readonly delay?: number;
  readonly resumeAt?: string;
  readonly reason?: string;
}

export function define(command: Command): void {
  addHolderOptions(command.argument("<id...>", "ids of the tasks", collectIds))
    .option("--delay <duration>", "nobody can claim the task so long, up to 30d", parseDuration)
    .addOption(
      new Option("--resume-at <time>", "nobody can claim the task before this time")
        .argParser(parseTime)
        .conflicts("delay"),
    )
    .option("--reason <text>", "why; kept in the event of the task", parseText);
  addConnectionOptions(addJsonOption(command)).action(release);
  addExamples(command, [
    "task release P0.5.1 --session s1",
    'task release P0.5.1 -s s1 --delay 5m --reason "the quota is exhausted"',
  ]);
}

async function release(ids: readonly string[], options: ReleaseOptions): Promise<void> {
  const holder = holderOf(options, ids);
  const { delay, resumeAt: resume_at, reason: cause } = options;
  const delay_seconds = delay === undefined ? undefined : delay / 1_000;
  const end = {
    status: "available" as const,
    ...givenFields({ delay_seconds, resume_at, cause }),
  };
  await withCalls(options, async ({ calls }) => {
    await showEach(ids, options, {
      ask: (id) => calls.call("tasks.release", id, () => ({ ...holder(id), ...end })),
      format: formatState,
    });
  });
}
