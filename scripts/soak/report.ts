/** The report of a run: a page without other files, and lines for the terminal. */
import { renderLineChart } from "../charts/line-chart.ts";
import type { Result } from "./run.ts";
import type { Group, Series } from "./series.ts";
import type { Judgement } from "./verdict.ts";

export interface Facts {
  /** The command that repeats the run. */
  readonly command: string;
  /** Of each program in the run, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly startedAt: Date;
}

const COLUMNS = ["series", "at the start", "at the end", "per hour", "rule", "verdict"] as const;
type Row = Readonly<Record<(typeof COLUMNS)[number], string>>;

export function growing({ judgements }: Result): readonly Judgement[] {
  return judgements.filter(({ verdict }) => verdict === "grows");
}

export function summary(result: Result): string {
  const { judgements, faults } = result;
  const count = (verdict: Judgement["verdict"]): number =>
    judgements.filter((judgement) => judgement.verdict === verdict).length;
  const grows = growing(result).map(({ series }) => nameOf(series));
  const verdict = grows.length === 0 ? "nothing grows" : `what grows: ${grows.join(", ")}`;
  return `${faults.length} faults, ${judgements.length} series judged, of which ${count("not judged")} were measured for too short a time: ${verdict}`;
}

/** The table of judgements, as text. */
export function formatTable({ judgements }: Result): string {
  const rows = judgements.map(rowOf);
  const header: Row = Object.fromEntries(COLUMNS.map((column) => [column, column])) as Row;
  const widths = COLUMNS.map((column) =>
    Math.max(...[header, ...rows].map((row) => row[column].length)),
  );
  const format = (row: Row): string =>
    COLUMNS.map((column, i) => {
      const width = widths[i] ?? 0;
      return i === 0 ? row[column].padEnd(width) : row[column].padStart(width);
    }).join("  ");
  return [header, ...rows].map(format).join("\n");
}

export function renderReport(result: Result, { command, versions, startedAt }: Facts): string {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Soak run</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; }
table { border-collapse: collapse; }
td, th { padding: 0.1em 0.8em; text-align: right; border-bottom: 1px solid #ddd; }
td:first-child, th:first-child { text-align: left; }
tr.grows { background: #fdd; }
tr.not-judged { color: #777; }
svg { display: block; margin: 1.5em 0; }
</style>
<h1>Soak run: does anything grow?</h1>
<p><strong>${escape(summary(result))}.</strong></p>
<p><code>${escape(command)}</code><br>${escape(startedAt.toISOString())}; ${escape(used.join(", "))}</p>
<h2>Verdict</h2>
${htmlTable(result.judgements)}
<h2>Figures</h2>
<p>Dashed lines are faults. ${escape(spans(result))}</p>
${groupsOf(result.series)
  .map((group) => chart(group, result))
  .join("\n")}
<h2>Faults</h2>
<ol>
${result.faults.map(({ at, name }) => `<li>${seconds(at)}: ${escape(name)}</li>`).join("\n")}
</ol>
<script type="application/json" id="series">${dataOf(result.series)}</script>
</html>
`;
}

/** The measured values, for programs. */
function dataOf(series: readonly Series[]): string {
  const data = series.map(({ group, name, points, births }) => ({
    group: group.title,
    name,
    points: points.map(([at, value]) => [Number(at.toFixed(1)), Number(value.toFixed(3))]),
    births,
  }));
  return JSON.stringify(data).replaceAll("<", "\\u003c");
}

function spans({ phases: { quietBefore, load, quietAfter } }: Result): string {
  const span = ({ from, to }: { from: number; to: number }): string =>
    `${seconds(from)} to ${seconds(to)}`;
  return (
    `Levels were measured in the quiet from ${span(quietBefore)} and from ${span(quietAfter)}; ` +
    `load with faults was from ${span(load)}, no process being killed in its second half.`
  );
}

function chart({ title, unit, scale = "linear" }: Group, { series, faults }: Result): string {
  return renderLineChart({
    title,
    x: { title: "Time", unit: "s" },
    y: { title, unit, scale },
    lines: series
      .filter(({ group }) => group.title === title)
      .map(({ name, points }) => ({ name, points })),
    marks: faults.map(({ at, name }) => ({ x: at, name })),
  });
}

function groupsOf(series: readonly Series[]): Group[] {
  return [...new Map(series.map(({ group }) => [group.title, group])).values()];
}

function htmlTable(judgements: readonly Judgement[]): string {
  const cells = (row: Row): string =>
    COLUMNS.map((column) => `<td>${escape(row[column])}</td>`).join("");
  const rows = judgements.map(
    (judgement) =>
      `<tr class="${judgement.verdict.replace(" ", "-")}">${cells(rowOf(judgement))}</tr>`,
  );
  const header = COLUMNS.map((column) => `<th>${column}</th>`).join("");
  return `<table>\n<tr>${header}</tr>\n${rows.join("\n")}\n</table>`;
}

function rowOf({ series, rule, verdict, start, end, slopePerHour }: Judgement): Row {
  const { unit } = series.group;
  const number = (value: number | null): string =>
    value === null ? "–" : `${rounded(value)}${unit === "" ? "" : ` ${unit}`}`;
  const values = [nameOf(series), number(start), number(end), number(slopePerHour)];
  const cells = [...values, rule.kind, verdict];
  return Object.fromEntries(COLUMNS.map((column, i) => [column, cells[i] ?? ""])) as Row;
}

function nameOf({ group, name }: Series): string {
  return `${group.title}: ${name}`;
}

function rounded(value: number): string {
  return value.toFixed(Math.abs(value) < 100 && !Number.isInteger(value) ? 1 : 0);
}

function seconds(at: number): string {
  return `${Math.round(at)} s`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
