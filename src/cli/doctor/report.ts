/** The findings as text for people. */
import { counted } from "../shared/counted.ts";
import { colors } from "../shared/colors.ts";
import { printable } from "../shared/terminal-text.ts";
import type { Verdict } from "./code-definition.ts";
import type { Finding } from "./finding.ts";
import type { CheckResult } from "./run-checks.ts";

const SIGNS: Readonly<Record<Verdict, (text: string) => string>> = {
  ok: () => colors.green("✔"),
  warning: () => colors.yellow("!"),
  problem: () => colors.red("✘"),
  unchecked: () => colors.dim("–"),
};

/** Puts checks that could not be made for the same reason together. */
export async function* mergeAlike(
  results: AsyncIterable<CheckResult>,
): AsyncGenerator<CheckResult, void, undefined> {
  let alike: CheckResult[] = [];
  for await (const result of results) {
    const [first] = alike;
    if (first !== undefined && reasonOf(first) !== reasonOf(result)) {
      yield merged(alike);
      alike = [];
    }
    if (reasonOf(result) === null) yield result;
    else alike.push(result);
  }
  if (alike.length > 0) yield merged(alike);
}

/** Why the check could not be made at all; `null` if it could. */
function reasonOf({ findings }: CheckResult): string | null {
  const [first, ...more] = findings;
  return first?.verdict === "unchecked" && more.length === 0 ? first.text : null;
}

function merged(results: readonly CheckResult[]): CheckResult {
  const [first] = results;
  const [finding] = first?.findings ?? [];
  if (first === undefined || finding === undefined || results.length === 1) {
    return first ?? { check: "", findings: [] };
  }
  const names = results.map(({ check }) => check).join(", ");
  return {
    check: `${results.length} checks`,
    findings: [{ ...finding, text: `${finding.text} (${names})` }],
  };
}

/** @param columns of the terminal; `undefined`: lines are not broken */
export function formatResult({ check, findings }: CheckResult, columns?: number): string {
  const lines = findings.map((finding, at) =>
    formatFinding(at === 0 ? check : "", finding, columns),
  );
  return lines.join("\n");
}

const NAME_WIDTH = "lost connections".length + 2;
const INDENT = 2 + NAME_WIDTH;

function formatFinding(name: string, { verdict, text, cure }: Finding, columns?: number): string {
  const lines = [
    ...wrap(printable(text), columns),
    ...(cure === null ? [] : wrap(`→ ${printable(cure)}`, columns).map((line) => colors.dim(line))),
  ];
  const [first = "", ...more] = lines;
  return [
    `${SIGNS[verdict](name)} ${name.padEnd(NAME_WIDTH)}${first}`,
    ...more.map((line) => `${" ".repeat(INDENT)}${line}`),
  ].join("\n");
}

/** Breaks the text between words. */
function wrap(text: string, columns?: number): string[] {
  if (columns === undefined || columns <= INDENT + 20) return [text];
  const width = columns - INDENT;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export function countOf(results: readonly CheckResult[], verdict: Verdict): number {
  return results
    .flatMap(({ findings }) => findings)
    .filter((finding) => finding.verdict === verdict).length;
}

export function formatSummary(results: readonly CheckResult[]): string {
  const [problems, warnings] = [countOf(results, "problem"), countOf(results, "warning")];
  const unchecked = countOf(results, "unchecked");
  const parts = [
    counted(problems, "problem"),
    counted(warnings, "warning"),
    ...(unchecked === 0 ? [] : [`${unchecked} not checked`]),
  ];
  return problems + warnings === 0 && unchecked === 0 ? "all is well" : parts.join(", ");
}

/** The findings for programs. */
export function documentOf(results: readonly CheckResult[]): object {
  const findings = results.flatMap(({ check, findings: found }) =>
    found.map(({ verdict, code, text, cure }) => ({ check, verdict, code, text, cure })),
  );
  return {
    ok: countOf(results, "problem") === 0,
    problems: countOf(results, "problem"),
    warnings: countOf(results, "warning"),
    findings,
  };
}
