/**
 * Writes tasks as rows of CSV and of Markdown. A cell that people could not read back exactly is repeated as
 * JSON in the last column.
 */
import type { TaskRecord } from "../protocol/task-record.ts";
import { exportedTask } from "./exported-task.ts";
import { isPlainReference } from "./dependencies.ts";
import { isNothing } from "./words.ts";

/** The columns of both formats: the name in CSV, and the title in Markdown. */
export const TABLE_COLUMNS = [
  ["task_id", "ID"],
  ["title", "Task"],
  ["status", "Status"],
  ["claimed_by", "Claimed by"],
  ["priority", "Priority"],
  ["depends_on", "Depends on"],
  ["requires", "Requires"],
  ["tags", "Tags"],
  ["description", "Description"],
  ["max_failures", "Max failures"],
  ["max_lost_leases", "Max lost leases"],
  ["more", "More"],
] as const;
type Column = (typeof TABLE_COLUMNS)[number][0];

export function csvRow(record: TaskRecord): string {
  const cells = cellsOf(record, () => true);
  return `${TABLE_COLUMNS.map(([name]) => csvCell(cells[name])).join(",")}\n`;
}

export function markdownRow(record: TaskRecord): string {
  const cells = cellsOf(record, isCarriedByMarkdown);
  return `| ${TABLE_COLUMNS.map(([name]) => markdownCell(cells[name])).join(" | ")} |\n`;
}

/** @param isCarried whether the format keeps a text exactly */
function cellsOf(record: TaskRecord, isCarried: (text: string) => boolean): Record<Column, string> {
  const exported = exportedTask(record);
  const { metadata, payload, not_before, result, completed_at, completed_by = "" } = exported;
  const texts = {
    title: record.title,
    description: record.description ?? "",
    depends_on: listCell(record.depends_on, isPlainReference),
    requires: listCell(record.requires, isPlainName),
    tags: listCell(record.tags, isPlainName),
  };
  const more: Record<string, unknown> = {
    ...(isText(texts.title) && isCarried(texts.title) ? {} : { title: record.title }),
    ...(isDescription(record) && isCarried(texts.description)
      ? {}
      : { description: record.description }),
    ...{ metadata, payload, not_before, result, completed_at },
    ...(completed_by !== "" && isNothing(completed_by) ? { completed_by } : {}),
  };
  const moreText = jsonCell(more);
  return {
    ...texts,
    task_id: record.task_id,
    status: record.status,
    claimed_by: record.claimed_by ?? completed_by,
    priority: String(record.priority),
    max_failures: String(record.max_failures),
    max_lost_leases: String(record.max_lost_leases),
    more: moreText === "{}" ? "" : moreText,
  };
}

/** Characters that Markdown changes, or that are invisible. JSON can escape them. */
const UNSAFE = /[\u007f-\u00a0\u2028\u2029\ufeff]/g;

/** A line break, among others, would be another entry. */
const UNSAFE_IN_LIST = /[\u0000-\u001f\u007f-\u00a0\u2028\u2029\ufeff]/;

function jsonCell(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Two quotes stand for an empty text. */
function isText(text: string): boolean {
  return text !== '""';
}

/** An empty cell means that there is no description. */
function isDescription({ description }: TaskRecord): boolean {
  return description === null || (description !== "" && isText(description));
}

function listCell(entries: readonly string[], isPlain: (entry: string) => boolean): string {
  return entries.every(isPlain) ? entries.join(", ") : jsonCell(entries);
}

function isPlainName(name: string): boolean {
  const isOneText =
    /^[^\s,;["](?:[^,;]*[^\s,;])?$/.test(name) && name.search(UNSAFE_IN_LIST) === -1;
  return isOneText && !isNothing(name);
}

function csvCell(text: string): string {
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Markdown drops blanks at both ends, and cannot have control characters. */
function isCarriedByMarkdown(text: string): boolean {
  return (
    text === text.trim() &&
    !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]|[ \n]\n|\n /.test(text)
  );
}

/** What could not be carried is in the last column, so here it only has to be readable. */
function markdownCell(text: string): string {
  const oneLine = text
    .trim()
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufeff]/g, " ");
  return oneLine.replace(/[^\s]+/g, markdownWord).replaceAll("\n", "<br>");
}

/** Within a web address, Markdown takes a backslash as it is. So such an address must not look like one. */
function markdownWord(word: string): string {
  const escapedWord = word
    .replace(/[\\`*[\]<>~|&]/g, "\\$&")
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_");
  const isPlain = escapedWord === word || !/:\/\/|www\.|@/i.test(word);
  return isPlain ? escapedWord : escapedWord.replace(/:(?=\/)|(?<=www)\.|@/gi, "\\$&");
}
