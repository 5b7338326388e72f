/** `if-coordinator import`: creates the tasks of files in many formats. */
import { type Command, Option } from "commander";
import type { ReadResult } from "../task-files/read.ts";
import { READ_FORMATS, type ReadFormat } from "../task-files/formats.ts";
import { compareTasks } from "./import/compare-tasks.ts";
import { importTasks, portionsOf } from "./import/import-tasks.ts";
import { missingWarnings } from "./import/missing-tasks.ts";
import { problemsText, warningLines } from "./import/problems.ts";
import { readFiles } from "./import/read-files.ts";
import { formatPlan, formatReport, type ImportReport, planReport } from "./import/report.ts";
import { withCalls } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "./shared/data.ts";
import { UsageError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { printError } from "./shared/output.ts";
import { parseText } from "./shared/parse-values.ts";
import { printableLines } from "./shared/terminal-text.ts";

interface ImportOptions extends ConnectionOptions, OutputOptions {
  readonly format?: ReadFormat;
  readonly prefix?: string;
  readonly dryRun?: boolean;
  readonly update?: boolean;
}

export function define(command: Command): void {
  command
    .argument("<file...>", "files with tasks; - is standard input")
    .addOption(
      new Option("--format <format>", "format of the files (default: by name and content)").choices(
        READ_FORMATS,
      ),
    )
    .option("--prefix <prefix>", "put this before every id of the files", parseText)
    .option("--dry-run", "say what an import would do, and change nothing")
    .option("--update", "give existing tasks the definition that the files have");
  addConnectionOptions(addJsonOption(command)).action(importFiles);
  addExamples(command, [
    "import board.md --dry-run",
    "import board.md more-tasks.csv",
    "import .beads/issues.jsonl --prefix beads/",
    "export | jq 'map(.priority = 0)' | if-coordinator import - --update",
  ]);
}

async function importFiles(names: readonly string[], options: ImportOptions): Promise<void> {
  const { format, prefix, dryRun, update, json } = options;
  // Not for the help of the command, because the formats take time to load.
  const { readTaskFiles } = await import("../task-files/read.ts");
  const read = readTaskFiles(await readFiles(names), { format, prefix });
  if (read.findings.errors.count > 0) throw new UsageError(problemsText(read.findings.errors));
  if (read.tasks.length === 0) throw new UsageError(noTasks(read));
  await withCalls(options, async ({ calls }) => {
    const portions = portionsOf(read, calls);
    const warnings = [...read.findings.warnings.kept, ...(await missingWarnings(calls, read))];
    const isQuiet = json === true;
    if (!isQuiet) printWarnings(warningLines(warnings, read.findings.warnings.count));
    let report: ImportReport;
    if (dryRun === true) {
      const plan = await compareTasks(calls, read.tasks);
      report = planReport(plan, read, warnings);
      await show(options, report, () => formatPlan(plan, read, update === true));
    } else {
      const settings = { update: update === true, warnings, isQuiet };
      report = await importTasks(calls, read, portions, settings);
      const later = report.warnings.filter(({ place }) => place === null);
      if (!isQuiet) printWarnings(later.map(({ message }) => `warning: ${message}`));
      await show(options, report, () => formatReport(report));
    }
    if (report.conflicting.length > 0 && !(dryRun === true && update === true)) {
      process.exitCode = EXIT.refused;
      if (!isQuiet && update !== true) {
        printError("if-coordinator: --update gives tasks that differ the definition of the files");
      }
    }
  });
}

function printWarnings(lines: readonly string[]): void {
  for (const line of lines) printError(printableLines(line));
}

function noTasks({ findings }: ReadResult): string {
  return [
    "nothing is imported, because the files have no tasks",
    ...warningLines(findings.warnings.kept),
  ].join("\n");
}
