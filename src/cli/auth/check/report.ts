/** The attempts of `auth check` as a table for people. */
import { colors } from "../../shared/colors.ts";
import { counted } from "../../shared/counted.ts";
import type { Row } from "./verdict.ts";

export function formatRows(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ attempt }) => attempt.length));
  const lines = rows.flatMap(({ attempt, isGood, result, cure }) => [
    `${isGood ? colors.green("✔") : colors.red("✘")} ${attempt.padEnd(width)}  ${result}`,
    ...(cure === undefined ? [] : [colors.dim(`    → ${cure}`)]),
  ]);
  const bad = rows.filter(({ isGood }) => !isGood).length;
  const summary =
    bad === 0
      ? "Everything is as it should be."
      : `${counted(bad, "attempt")} of ${rows.length} ${bad === 1 ? "shows" : "show"} a hole.`;
  return [...lines, "", summary].join("\n");
}
