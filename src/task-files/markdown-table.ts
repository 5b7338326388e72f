/** Reads the tables of a Markdown board. A table with ids and titles, or ids and statuses, has tasks. */
import type { Table, TableCell, TableRow } from "mdast";
import { isValidId } from "../protocol/subjects.ts";
import { plainId } from "./convert.ts";
import type { Located } from "./draft.ts";
import { type FieldName, meaningOf } from "./field-names.ts";
import { isStruck, visibleText } from "./markdown-text.ts";
import type { ReadDrafts } from "./reading.ts";
import { toDraft } from "./row-to-draft.ts";
import { isNothing } from "./words.ts";

interface Column {
  readonly name: string;
  readonly field: ReturnType<typeof meaningOf> | "id and title";
}

/** `P0.1.1: Set up the bus`, `P0.1.1 - Set up the bus` or `P0.1.1` alone. The id has a digit. */
const ID_AND_TITLE =
  /^#?((?=[A-Za-z0-9_./-]*\d)[A-Za-z0-9_]+(?:[./_-][A-Za-z0-9_]+)*)(?:\s*[:–—]\s*|\s+-\s+|\s*$)(.*)$/s;

export class TableReader {
  readonly #to: ReadDrafts;
  #columns: readonly Column[] | null = null;
  #header = "";
  readonly #idsAbove: string[] = [];

  constructor(to: ReadDrafts) {
    this.#to = to;
  }

  /** @returns whether the table has tasks. A long table comes in parts, each with the same header */
  read(table: Table, offsetOf: (offset: number) => number, isContinued: boolean): boolean {
    const [header, ...rows] = table.children;
    if (header === undefined) return false;
    const names = header.children.map((cell) => visibleText(cell.children).trim());
    if (!isContinued || names.join("|") !== this.#header) {
      this.#header = names.join("|");
      this.#columns = columnsOf(names, rows);
      this.#idsAbove.length = 0;
    }
    const columns = this.#columns;
    if (columns === null) {
      if (!isContinued && names.some((name) => meaningOf(name) === "status"))
        this.#warn(table, offsetOf);
      return false;
    }
    for (const row of rows) this.#readRow(row, columns, offsetOf);
    return true;
  }

  #warn(table: Table, offsetOf: (offset: number) => number): void {
    const { source, findings } = this.#to;
    const message = "the table has a status but no ids: it is left out; add a column `ID`";
    findings.warning(source, offsetOf(table.position?.start.offset ?? 0), message);
  }

  #readRow(row: TableRow, columns: readonly Column[], offsetOf: (offset: number) => number): void {
    const { source, findings, notices, drafts } = this.#to;
    const at = (node: TableRow | TableCell): number => offsetOf(node.position?.start.offset ?? 0);
    const fields = new Map<string, Located>();
    const struck = new Set<Column["field"]>();
    columns.forEach(({ name, field }, index) => {
      const cell = row.children[index];
      if (cell === undefined || name === "") return;
      const text = visibleText(cell.children).trim();
      const offset = at(cell) + offsetInCell(source.text, at(cell));
      if (isStruck(cell.children)) struck.add(field);
      if (field === "id and title") {
        const [, id = "", title = ""] = ID_AND_TITLE.exec(text) ?? [];
        if (id === "" && text !== "") fields.set("title", { value: text, offset });
        if (id === "") return;
        fields.set("task_id", { value: id, offset });
        if (title !== "") fields.set("title", { value: title, offset });
      } else {
        fields.set(name, { value: text, offset });
      }
    });
    if (this.#isNoTask(fields, at(row))) return;
    const draft = toDraft(
      { source, offset: at(row), fields, isTextual: true, idsAbove: () => [...this.#idsAbove] },
      findings,
      notices,
    );
    if (draft === null) return;
    const isStruckOut = struck.has("title") || struck.has("id and title");
    if (isStruckOut && draft.fields.status === undefined) {
      notices.addTask("struck through, but imported as open", source, at(row), draft.id);
    }
    drafts.push(draft);
    this.#idsAbove.push(plainId(draft.id));
  }

  /** Empty rows, headings between the rows, and sums. */
  #isNoTask(fields: ReadonlyMap<string, Located>, offset: number): boolean {
    const texts = [...fields].map(([name, { value }]) => ({ name, text: String(value) }));
    const used = texts.filter(({ text }) => !isNothing(text));
    const [only] = used;
    if (only === undefined) return true;
    const isId = meaningOf(only.name) === "task_id" && /\d/.test(only.text) && isValidId(only.text);
    const isHeading = used.length === 1 && only === texts[0] && fields.size > 1 && !isId;
    const [first, ...others] = texts;
    const isTask = others.some(({ name, text }) => {
      return !isNothing(text) && ["title", "status"].includes(meaningOf(name) ?? "");
    });
    const isSum = /^(?:sub)?totals?\b/i.test(first?.text ?? "") && !isTask;
    if (!isHeading && !isSum) return false;
    this.#to.findings.skipped++;
    const text = "rows that are no tasks are left out";
    this.#to.notices.addTask(text, this.#to.source, offset, only.text);
    return true;
  }
}

/** The cell begins at its pipe. */
function offsetInCell(text: string, offset: number): number {
  return /^\|?[ \t]*/.exec(text.slice(offset, offset + 200))?.[0].length ?? 0;
}

/** `null` if the table has no tasks. */
function columnsOf(names: readonly string[], rows: readonly TableRow[]): Column[] | null {
  const columns: Column[] = names.map((name) => ({ name, field: meaningOf(name) }));
  const indexOf = (field: Column["field"]): number =>
    columns.findIndex((column) => column.field === field);
  const has = (...fields: FieldName[]): boolean => fields.some((field) => indexOf(field) >= 0);
  const hasIds = has("task_id");
  const title = indexOf("title");
  if (!hasIds) {
    const cells = rows.map((row) => textOf(row.children[title])).filter((text) => !isNothing(text));
    const withId = cells.filter((text) => ID_AND_TITLE.test(text)).length;
    const isBoard = has("status", "depends_on", "owner", "claimed_by", "priority");
    if (!isBoard || withId === 0 || withId < cells.length / 2) return null;
    columns[title] = { name: names[title] ?? "", field: "id and title" };
    if (cells.some((text) => ID_AND_TITLE.exec(text)?.[2] !== "")) return columns;
  }
  // A description is all that many boards have as a title.
  const description = indexOf("description");
  if (indexOf("title") < 0 && description >= 0)
    columns[description] = { name: "title", field: "title" };
  return !hasIds || has("title", "status", "depends_on") ? columns : null;
}

function textOf(cell: TableCell | undefined): string {
  return cell === undefined ? "" : visibleText(cell.children).trim();
}
