/** A table of figures, for people and as data. */

export interface Column {
  readonly title: string;
  /** Digits after the decimal point, in the printed table. Default 0. */
  readonly digits?: number;
}

export type Cell = string | number | null;

export interface Table {
  /** The name of its files. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  /** What a reader must know. */
  readonly notes: readonly string[];
  /** Notes that several tables share: docs/performance.md has them once. */
  readonly legend?: readonly string[];
  /** The column that the chart shows as bars, and how many of the first columns name a bar. */
  readonly drawn: {
    readonly column: number;
    readonly names: number;
    /** The chart shows only rows with this cell in this column. Default: all rows. */
    readonly only?: { readonly column: number; readonly cell: string };
  };
}

/** Columns with the same number of digits. */
export function columns(digits: number, ...titles: string[]): Column[] {
  return titles.map((title) => ({ title, digits }));
}

export function allNotes({ notes, legend = [] }: Table): string[] {
  return [...notes, ...legend];
}

/** The table as aligned Markdown. */
export function toMarkdown(table: Table, notes: readonly string[] = allNotes(table)): string {
  const { columns, rows } = table;
  const cells = rows.map((row) => row.map((cell, i) => formatCell(cell, columns[i]?.digits ?? 0)));
  const widths = columns.map(({ title }, i) =>
    Math.max(3, title.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const isNumeric = columns.map((_, i) => rows.every((row) => typeof row[i] !== "string"));
  const line = (texts: readonly string[]): string => {
    const padded = texts.map((text, i) => {
      const width = widths[i] ?? 0;
      return isNumeric[i] === true ? text.padStart(width) : text.padEnd(width);
    });
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, i) =>
    isNumeric[i] === true ? `${"-".repeat(width - 1)}:` : "-".repeat(width),
  );
  const lines = [line(columns.map(({ title }) => title)), line(rule), ...cells.map(line)];
  const list = notes.map((note) => `- ${note}`);
  return [...lines, ...(list.length > 0 ? ["", ...list] : [])].join("\n");
}

export function formatCell(cell: Cell, digits: number): string {
  if (typeof cell === "string") return cell;
  if (cell === null || Number.isNaN(cell)) return "–";
  return cell.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
