/** Writes tasks in the formats that `import` reads back to the same tasks. */
import { Document, visit } from "yaml";
import type { TaskRecord } from "../protocol/task-record.ts";
import type { WriteFormat } from "./formats.ts";
import { exportedTask } from "./exported-task.ts";
import { csvRow, markdownRow, TABLE_COLUMNS } from "./write-tables.ts";

/** A file is its head, the tasks one after the other, and its tail. */
export interface TaskWriter {
  readonly head: string;
  /** @param isFirst whether no task was written before */
  task(record: TaskRecord, isFirst: boolean): string;
  /** @param isEmpty whether no task was written */
  tail(isEmpty: boolean): string;
}

export function taskWriter(format: WriteFormat): TaskWriter {
  return WRITERS[format];
}

const nothing = (): string => "";

const WRITERS: Readonly<Record<WriteFormat, TaskWriter>> = {
  json: {
    head: "[",
    task: (record, isFirst) => `${isFirst ? "" : ","}\n${JSON.stringify(exportedTask(record))}`,
    tail: (isEmpty) => (isEmpty ? "]\n" : "\n]\n"),
  },
  jsonl: {
    head: "",
    task: (record) => `${JSON.stringify(exportedTask(record))}\n`,
    tail: nothing,
  },
  yaml: {
    head: "",
    task: yamlEntry,
    tail: (isEmpty) => (isEmpty ? "[]\n" : ""),
  },
  csv: {
    head: `${TABLE_COLUMNS.map(([name]) => name).join(",")}\n`,
    task: csvRow,
    tail: nothing,
  },
  markdown: {
    head:
      `# Tasks\n\n| ${TABLE_COLUMNS.map(([, title]) => title).join(" | ")} |\n` +
      `|${TABLE_COLUMNS.map(() => " --- ").join("|")}|\n`,
    task: markdownRow,
    tail: nothing,
  },
};

function yamlEntry(record: TaskRecord): string {
  // Aliases would connect tasks with each other.
  const document = new Document([exportedTask(record)], { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, scalar) => {
      const { value } = scalar;
      if (typeof value === "string" && !isPlainYaml(value)) scalar.type = "QUOTE_DOUBLE";
    },
  });
  // Long lines are not broken.
  return document.toString({ lineWidth: 0 });
}

/** Whether YAML can have the text without quotes, or as a block, whose blanks do not count at all places. */
function isPlainYaml(text: string): boolean {
  return !/[\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u2028\u2029\ufeff]|^\s|[ ]$|[ ]\n|\n[ \n]/.test(
    text,
  );
}
