/** Runs `if-coordinator doctor` for a test. */
import assert from "node:assert/strict";
import type { FindingCode } from "../../../src/cli/doctor/finding-codes.ts";
import { runCli } from "../../support/cli-process.ts";

interface Found {
  readonly check: string;
  readonly verdict: string;
  readonly code: FindingCode | null;
  readonly text: string;
  readonly cure: string | null;
}

export interface Diagnosis {
  readonly code: number | null;
  readonly findings: readonly Found[];
  /** The codes of problems and warnings. */
  readonly bad: readonly FindingCode[];
}

/** No test has an HTTP endpoint or a monitoring port, unless it says so. */
export async function diagnose(url: string, ...args: string[]): Promise<Diagnosis> {
  const http = args.includes("--http") ? [] : ["--http", "http://127.0.0.1:1"];
  const { code, stdout, stderr } = await runCli(
    ["doctor", "--nats", url, ...http, "--json", ...args],
    { env: { NATS_URL: "" } },
  );
  assert.equal(stderr, "");
  const { findings } = JSON.parse(stdout) as { findings: Found[] };
  const bad = findings.filter(({ verdict }) => verdict === "problem" || verdict === "warning");
  return { code, findings, bad: bad.flatMap((finding) => finding.code ?? []) };
}

export function textOf({ findings }: Diagnosis, code: FindingCode): string {
  const texts = findings.filter((finding) => finding.code === code).map(({ text }) => text);
  assert.notEqual(texts.length, 0, `no finding ${code} in ${JSON.stringify(findings, null, 1)}`);
  return texts.join("\n");
}
