/** Reads CSV, also with semicolons or tabs, as spreadsheets write it. */
import { CsvError, parse } from "csv-parse/sync";
import type { Located } from "./draft.ts";
import { meaningOf } from "./field-names.ts";
import { shown } from "./findings.ts";
import type { ReadDrafts } from "./reading.ts";
import { toDraft } from "./row-to-draft.ts";

interface CsvRecord {
  readonly cells: readonly string[];
  /** Where the record begins and ends in the text. */
  readonly start: number;
  readonly end: number;
}

export function readCsv(to: ReadDrafts): void {
  const { source, findings } = to;
  const delimiter = delimiterOf(source.text);
  const [header, ...records] = recordsOf(to, delimiter);
  if (header === undefined) {
    findings.warning(source, 0, "the file has no tasks");
    return;
  }
  const names = header.cells.map((name) => name.trim());
  if (!isHeader(header, names, to)) return;
  const idColumn = names.findIndex((name) => meaningOf(name) === "task_id");
  const idsAbove: string[] = [];
  for (const record of records) {
    const offsets = cellOffsets(source.text, record, delimiter);
    const extra = record.cells.slice(names.length).findIndex((cell) => cell.trim() !== "");
    if (extra !== -1) {
      const message =
        `the row has ${record.cells.length} cells, and the header has ${names.length}: ` +
        "put texts with a delimiter into double quotes";
      findings.error(source, offsets[names.length + extra] ?? record.start, message);
      continue;
    }
    const fields = new Map<string, Located>();
    names.forEach((name, column) => {
      const offset = offsets[column] ?? record.end;
      if (name !== "") fields.set(name, { value: record.cells[column] ?? "", offset });
    });
    const offset = offsets[0] ?? record.start;
    const row = { source, offset, fields, isTextual: true, idsAbove: () => [...idsAbove] };
    const draft = toDraft(row, findings, to.notices);
    if (draft !== null) to.drafts.push(draft);
    if (idColumn >= 0) idsAbove.push(record.cells[idColumn]?.trim() ?? "");
  }
}

function isHeader(
  { start }: CsvRecord,
  names: readonly string[],
  { source, findings }: ReadDrafts,
): boolean {
  const repeated = names.find((name, index) => name !== "" && names.indexOf(name) < index);
  if (repeated !== undefined) {
    findings.error(
      source,
      start,
      `the column ${shown(repeated)} is there twice: rename one of them`,
    );
    return false;
  }
  if (names.some((name) => meaningOf(name) === "task_id")) return true;
  const message =
    "the first line must name the columns, and one of them must be task_id (or id); " +
    `it names ${names.map(shown).slice(0, 10).join(", ")}`;
  findings.error(source, start, message);
  return false;
}

/** The one that the first line has most often, outside of quotes. */
function delimiterOf(text: string): string {
  const [line = ""] = /^[^\r\n]*/.exec(text) ?? [];
  const plain = line.replace(/"[^"]*"/g, "");
  const counts = [",", ";", "\t"].map((delimiter) => ({
    delimiter,
    count: plain.split(delimiter).length,
  }));
  return counts.reduce((best, one) => (one.count > best.count ? one : best)).delimiter;
}

const OPTIONS = {
  info: true,
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true,
  skip_empty_lines: true,
};

function recordsOf({ source, findings }: ReadDrafts, delimiter: string): CsvRecord[] {
  const bytes = Buffer.from(source.text);
  const isAscii = bytes.length === source.text.length;
  const records: CsvRecord[] = [];
  let [byte, offset] = [0, 0];
  try {
    parse(bytes, {
      ...OPTIONS,
      delimiter,
      on_record: (entry: unknown) => {
        const { record, info } = entry as { record: string[]; info: { bytes: number } };
        const start = offset;
        // The library counts bytes.
        offset += isAscii ? info.bytes - byte : bytes.toString("utf8", byte, info.bytes).length;
        byte = info.bytes;
        if (record.some((cell) => cell !== "")) records.push({ cells: record, start, end: offset });
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    findings.error(source, skipLineBreaks(source.text, offset), worded(error));
  }
  return records;
}

function worded({ code, message }: CsvError): string {
  if (code === "CSV_QUOTE_NOT_CLOSED") {
    return "a double quote in this row is never closed: close it, or double a quote that is part of a text";
  }
  return code.includes("QUOTE")
    ? 'a double quote inside of a text must be doubled, and the text put into quotes: "say ""hi"""'
    : `is not valid CSV: ${message}`;
}

function skipLineBreaks(text: string, offset: number): number {
  let start = offset;
  while (text[start] === "\n" || text[start] === "\r") start++;
  return start;
}

/** Where the cells of a record begin. */
function cellOffsets(text: string, { start, end }: CsvRecord, delimiter: string): number[] {
  const offsets = [skipLineBreaks(text, start)];
  let isQuoted = false;
  for (let at = offsets[0] ?? start; at < end; at++) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (!isQuoted && text[at] === delimiter) offsets.push(at + 1);
  }
  return offsets;
}
