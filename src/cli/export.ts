/** `if-coordinator export`: writes tasks to a file that `import` reads back to the same tasks. */
import { type Command, Option } from "commander";
import { counted } from "./shared/counted.ts";
import type { TaskStatus } from "../task/task.ts";
import { formatOfName, WRITE_FORMATS, type WriteFormat } from "../task-files/formats.ts";
import { openOutput } from "./export/output-file.ts";
import { withCalls } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addExamples } from "./shared/help.ts";
import { printError } from "./shared/output.ts";
import { parseStatuses } from "./shared/parse-names.ts";
import { collectList, parseText } from "./shared/parse-values.ts";
import { type TaskFilter, taskPages } from "./shared/task-pages.ts";

interface ExportOptions extends ConnectionOptions {
  readonly format?: WriteFormat;
  readonly output?: string;
  readonly status?: readonly TaskStatus[];
  readonly prefix?: string;
  readonly tag?: readonly string[];
}

export function define(command: Command): void {
  command
    .addOption(
      new Option("--format <format>", "format (default: by the name of the file, or json)").choices(
        WRITE_FORMATS,
      ),
    )
    .option("-o, --output <file>", "write to this file (default: standard output)", parseText)
    .option("--status <status,...>", "only tasks in one of these statuses", parseStatuses)
    .option("--prefix <prefix>", "only tasks whose id begins with this", parseText)
    .option("--tag <name,...>", "only tasks that have all of these tags", collectList);
  addConnectionOptions(command).action(exportTasks);
  addExamples(command, [
    "export --output board.md",
    "export --format csv --status available,blocked > open.csv",
    "export --prefix P0. | jq length",
  ]);
}

async function exportTasks(options: ExportOptions): Promise<void> {
  const { output } = options;
  // Not for the help of the command, because the formats take time to load.
  const { taskWriter } = await import("../task-files/write.ts");
  const writer = taskWriter(formatFor(options));
  await withCalls(options, async ({ calls }) => {
    const file = await openOutput(output);
    let count = 0;
    let redacted = 0;
    const notCarried = { claimed: 0, failed: 0 };
    try {
      await file.write(writer.head);
      for await (const page of taskPages(calls, filterOf(options))) {
        let text = "";
        for (const task of page) {
          text += writer.task(task, count === 0);
          count++;
          if (task.redacted === true) redacted++;
          if (task.status === "claimed" || task.status === "failed") notCarried[task.status]++;
        }
        await file.write(text);
      }
      await file.write(writer.tail(count === 0));
      await file.finish();
    } finally {
      await file.discard();
    }
    for (const [status, tasks] of Object.entries(notCarried)) {
      if (tasks > 0)
        printError(`if-coordinator: ${tasks} ${status}: an import creates them as open tasks`);
    }
    if (redacted > 0) {
      printError(`if-coordinator: ${redacted} without content, which this agent may not see`);
    }
    if (output !== undefined) {
      printError(`if-coordinator: wrote ${counted(count, "task")} to ${output}`);
    }
  });
}

function formatFor({ format, output = "" }: ExportOptions): WriteFormat {
  const byName = formatOfName(output);
  return format ?? WRITE_FORMATS.find((known) => known === byName) ?? "json";
}

function filterOf({ status, prefix, tag }: ExportOptions): TaskFilter {
  return {
    ...(status === undefined ? {} : { status: [...status] }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(tag === undefined ? {} : { tags: [...tag] }),
  };
}
