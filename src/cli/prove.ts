/** `if-coordinator prove`: judges the recorded history of a coordinator by the rules that it promises to keep. */
import type { Command } from "commander";
import { withHistory } from "../nats/history-access.ts";
import { documentOf } from "./prove/document.ts";
import { examine } from "./prove/examine.ts";
import { Progress } from "./prove/progress.ts";
import { formatReport } from "./prove/report.ts";
import { withCalls } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "./shared/data.ts";
import { ExitError, UsageError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { parseCount, parseDuration } from "./shared/parse-values.ts";

interface ProveOptions extends ConnectionOptions, OutputOptions {
  readonly task?: string;
  readonly prefix?: string;
  readonly limit?: number;
  readonly grace?: number;
}

/** Longer than the longest grace period of workers, and shorter than the life of the marker of a lease. */
const GRACE_MS = 90_000;
const LIMITS = { text: 20, json: 1_000 } as const;

export function define(command: Command): void {
  command
    .option("--task <id>", "judge only this task")
    .option("--prefix <prefix>", "judge only tasks whose id begins with this")
    .option("--limit <n>", "entries of each list (default: 20, with --json 1000)", parseCount)
    .option(
      "--grace <duration>",
      "how long workers may take to react (default: 90s)",
      parseDuration,
    );
  addConnectionOptions(addJsonOption(command)).action(prove);
  addExamples(command, [
    "prove",
    "prove --task P0.5.1",
    "prove --json | jq '.rules[] | select(.verdict != \"holds\")'",
  ]);
}

async function prove(options: ProveOptions): Promise<void> {
  const { task: taskId, prefix, json, grace: graceMs = GRACE_MS } = options;
  if (taskId !== undefined && prefix !== undefined) {
    throw new UsageError("--task and --prefix exclude each other: give one of them");
  }
  const limit = options.limit ?? (json === true ? LIMITS.json : LIMITS.text);
  await withCalls(options, async ({ connection, jsDomain }) => {
    using progress = new Progress();
    const proof = await withHistory(connection, jsDomain, (access) =>
      examine(access, {
        ...(taskId === undefined ? {} : { taskId }),
        ...(prefix === undefined ? {} : { prefix }),
        ...{ graceMs, maxKept: limit },
        onProgress: (revision, last) => {
          progress.show(revision, last);
        },
      }),
    );
    progress.end();
    if (taskId !== undefined && proof.census.revisions === 0) {
      throw new ExitError(EXIT.notFound, `the bucket "tasks" has no record of ${taskId}`);
    }
    const document = documentOf(proof, limit);
    await show(options, document, () => formatReport(document));
    if (!document.ok) process.exitCode = EXIT.failed;
  });
}
