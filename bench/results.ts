/** Keeps what was measured: as JSON, as a chart, and in the tables of docs/performance.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderBarChart } from "../scripts/charts/bar-chart.ts";
import type { Machine } from "../scripts/machine.ts";
import { OWN_TITLE } from "./arena.ts";
import { formatCell, type Table, toMarkdown } from "./table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RESULTS = join(ROOT, "bench/results");
const DOCUMENT = join(ROOT, "docs/performance.md");

export function save(table: Table, machine: Machine, measuredAt: string): void {
  mkdirSync(RESULTS, { recursive: true });
  const { id, title, columns, rows, notes } = table;
  const names = columns.map((column) => column.title);
  const records = rows.map((row) =>
    Object.fromEntries(row.map((cell, i) => [names[i] ?? "", cell] as const)),
  );
  const result = { title, measured_at: measuredAt, machine, notes, rows: records };
  writeFileSync(join(RESULTS, `${id}.json`), `${JSON.stringify(result, null, 2)}\n`);
  writeFileSync(join(RESULTS, `${id}.svg`), `${draw(table)}\n`);
  const document = readFileSync(DOCUMENT, "utf8");
  writeFileSync(DOCUMENT, withTable(document, id, toMarkdown(table)));
}

/** @throws Error if the document has no place for it */
function withTable(document: string, id: string, markdown: string): string {
  const [from, to] = [`<!-- bench: ${id} -->`, `<!-- end: ${id} -->`];
  const [before, rest] = document.split(from);
  const after = rest?.split(to)[1];
  if (before === undefined || after === undefined) {
    throw new Error(`docs/performance.md has no place for ${id}: ${from} ... ${to}`);
  }
  return `${before}${from}\n\n${markdown}\n\n${to}${after}`;
}

function draw({ title, columns, rows, drawn: { column, names } }: Table): string {
  const { title: unit = "", digits = 0 } = columns[column] ?? {};
  const bars = rows.flatMap((row) => {
    const value = row[column];
    if (typeof value !== "number") return [];
    const name = row
      .slice(0, names)
      .map((cell) => formatCell(cell, 0))
      .join(" · ");
    return [{ name, value, label: formatCell(value, digits), isOwn: name.startsWith(OWN_TITLE) }];
  });
  return renderBarChart({ title, unit, bars });
}
