/** Reads files of tasks: bytes in, tasks and findings out. No I/O. */
import { readCsv } from "./csv-file.ts";
import type { Draft } from "./draft.ts";
import { Findings } from "./findings.ts";
import { type Finished, finish } from "./finish.ts";
import { formatOfName, formatOfText, READ_FORMATS, type ReadFormat } from "./formats.ts";
import { parseJsonFile, parseJsonLines } from "./json-file.ts";
import { readMarkdown } from "./markdown-file.ts";
import { Notices } from "./notices.ts";
import { readObjects } from "./objects.ts";
import type { ReadDrafts } from "./reading.ts";
import { decodeText, SourceText, UnreadableText } from "./source-text.ts";
import { parseYamlFile } from "./yaml-file.ts";

export interface TaskFile {
  /** As messages name it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ReadOptions {
  /** Default: recognized by the name and the content. */
  readonly format?: ReadFormat | undefined;
  /** Put before every id of the files. */
  readonly prefix?: string | undefined;
}

/** The tasks can be imported only if there are no errors. */
export interface ReadResult extends Finished {
  readonly findings: Findings;
}

export function readTaskFiles(files: readonly TaskFile[], options: ReadOptions = {}): ReadResult {
  const findings = new Findings();
  const notices = new Notices();
  const drafts: Draft[] = [];
  for (const file of files) {
    const source = decoded(file, findings);
    if (source === null) continue;
    const to: ReadDrafts = { source, drafts, findings, notices };
    if (source.text.trim() === "") findings.warningInFile(source.name, "the file is empty");
    else readDrafts(to, options.format);
  }
  const finished = finish(drafts, options.prefix ?? "", findings);
  notices.report(findings);
  const names = files.map(({ name }) => name);
  findings.errors.sort(names);
  findings.warnings.sort(names);
  return { ...finished, findings };
}

function decoded({ name, bytes }: TaskFile, findings: Findings): SourceText | null {
  try {
    return new SourceText(name, decodeText(bytes));
  } catch (error) {
    if (!(error instanceof UnreadableText)) throw error;
    const { textBefore } = error;
    if (textBefore === "") findings.errorInFile(name, error.message);
    else findings.error(new SourceText(name, textBefore), textBefore.length, error.message);
    return null;
  }
}

function readDrafts(to: ReadDrafts, wanted: ReadFormat | undefined): void {
  const { source, findings } = to;
  const format = wanted ?? recognized(source);
  switch (format) {
    case null:
      findings.errorInFile(
        source.name,
        `the format is not recognized: name it with --format (${READ_FORMATS.join(", ")})`,
      );
      return;
    case "csv":
      readCsv(to);
      return;
    case "markdown":
      readMarkdown(to);
      return;
    case "json":
    case "jsonl":
    case "yaml":
    case "beads":
    case "task-master": {
      const parsed = parse(format, to);
      const shape = format === "beads" || format === "task-master" ? format : null;
      if (parsed !== null) readObjects(parsed, shape, to);
    }
  }
}

/** The content decides between JSON and JSON Lines, because both are called `.json` at times. */
function recognized({ name, text }: SourceText): ReadFormat | null {
  const byName = formatOfName(name);
  if (byName === "json" && formatOfText(text) === "jsonl") return "jsonl";
  return byName ?? formatOfText(text);
}

function parse(
  format: "json" | "jsonl" | "yaml" | "beads" | "task-master",
  to: ReadDrafts,
): ReturnType<typeof parseJsonFile> {
  if (format === "yaml") return parseYamlFile(to);
  const isLines =
    format === "jsonl" || (format === "beads" && formatOfText(to.source.text) !== "json");
  return isLines ? parseJsonLines(to) : parseJsonFile(to);
}
