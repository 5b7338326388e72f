/** What a run prints: a line for each finding that does not hold, and a table at the end. */
import type { RowResult } from "./run-row.ts";
import type { Finding } from "./verdict.ts";

export function isFailure({ findings, notPromised }: RowResult): boolean {
  return notPromised === null && findings.some(({ holds }) => !holds);
}

/** Of one row, when it is over. */
export function describeRow(result: RowResult): string[] {
  const { attack, watched, findings, notPromised } = result;
  const answers = Object.entries(attack.answers).map(([name, count]) => `${count} ${name}`);
  const shares = Object.entries(watched.busy).map(([name, share]) => `${name} ${percent(share)}`);
  const refusal = attack.refusedBySelf === null ? [] : [`not sent: ${attack.refusedBySelf}`];
  return [
    `  ${attack.sent} requests in ${attack.seconds.toFixed(1)} s: ${[...answers, ...refusal].join(", ") || "no answer"}`,
    `  of one core: ${shares.join(", ")}`,
    ...findings.map(lineOf),
    ...(notPromised === null ? [] : [`  not promised: ${notPromised}`]),
  ];
}

function lineOf({ promise, holds, seen }: Finding): string {
  return `  ${holds ? "✔" : "✘"} ${promise}: ${seen}`;
}

/** A line for each row, as Markdown. */
export function tableOf(results: readonly RowResult[]): string[] {
  const rows = results.map((result) => {
    const { name, mode, attacked, watched, logBytes, quiet } = result;
    return [
      name,
      mode,
      verdictOf(result),
      ...[quiet.p99, attacked.p50, attacked.p99, attacked.max].map((ms) => ms.toFixed(1)),
      String(Math.round(watched.workerMiB)),
      String(Math.round(logBytes / 1024)),
      percent(watched.busy.attacker ?? 0),
    ];
  });
  const head = [
    ...["Attack", "Mode", "Verdict", "p99 before, ms", "p50, ms", "p99, ms", "max, ms"],
    ...["Worker, MiB", "Log, KiB", "Attacker, of a core"],
  ];
  return formatted([head, ...rows]);
}

function verdictOf(result: RowResult): string {
  const broken = result.findings.filter(({ holds }) => !holds).length;
  if (broken === 0) return "holds";
  return result.notPromised === null ? `FAILS (${broken})` : `not promised (${broken})`;
}

function formatted(rows: readonly (readonly string[])[]): string[] {
  const [head = []] = rows;
  const widths = head.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  const [first = "", ...rest] = rows.map(line);
  return [first, rule, ...rest];
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
