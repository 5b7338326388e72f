/** Writes what was measured: JSON and charts to bench/results, and the tables of docs/performance.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderBarChart } from "../scripts/charts/bar-chart.ts";
import type { Machine } from "../scripts/lab/machine.ts";
import { OWN_TITLE } from "./arena.ts";
import { allNotes, formatCell, type Table, toMarkdown } from "./table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = join(ROOT, "bench/results");
const DOCUMENT = join(ROOT, "docs/performance.md");

/** Writes the table as JSON and as a chart. */
export function save(table: Table, machine: Machine, measuredAt: string): void {
  mkdirSync(RESULTS, { recursive: true });
  const { id, title, columns, rows } = table;
  const names = columns.map((column) => column.title);
  const records = rows.map((row) =>
    Object.fromEntries(row.map((cell, i) => [names[i] ?? "", cell] as const)),
  );
  const result = { title, measured_at: measuredAt, machine, notes: allNotes(table), rows: records };
  writeFileSync(join(RESULTS, `${id}.json`), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(join(RESULTS, `${id}.svg`), `${draw(table)}\n`);
}

/** Replaces the table in docs/performance.md. @throws Error if there is no place for it */
export function putIntoDocument(table: Table): void {
  const document = readFileSync(DOCUMENT, "utf8");
  writeFileSync(DOCUMENT, withTable(document, table.id, toMarkdown(table, table.notes)));
}

function withTable(document: string, id: string, markdown: string): string {
  const [from, to] = [`<!-- bench: ${id} -->`, `<!-- end: ${id} -->`];
  const [before, rest] = document.split(from);
  const after = rest?.split(to)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`docs/performance.md has no place for ${id}: ${from} ... ${to}`);
  }
  return `${before}${from}\n\n${markdown}\n\n${to}${after}`;
}

function draw({ title, columns, rows, drawn: { column, names, only } }: Table): string {
  const { title: unit = "", digits = 0 } = columns[column] ?? {};
  const bars = rows.flatMap((row) => {
    const value = row[column];
    if (typeof value !== "number") return [];
    if (only !== undefined && row[only.column] !== only.cell) return [];
    const name = row
      .slice(0, names)
      .map((cell) => formatCell(cell, 0))
      .join(" · ");
    return [{ name, value, label: formatCell(value, digits), isOwn: name.startsWith(OWN_TITLE) }];
  });
  const about = only === undefined ? "" : `, ${only.cell} ${columns[only.column]?.title ?? ""}`;
  return renderBarChart({ title: title + about, unit, bars });
}
