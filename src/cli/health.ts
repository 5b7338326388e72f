/** `if-coordinator health`: asks the HTTP endpoint of `serve` or `dev` on this machine whether it is ready. */
import type { Command } from "commander";
import type { Config } from "../config.ts";
import { addExamples } from "./shared/help.ts";
import { print, printError } from "./shared/output.ts";
import { addSettingOptions, configOf } from "./shared/setting-options.ts";
import { printableLines } from "./shared/terminal-text.ts";

/** Shorter than the timeout of the HEALTHCHECK in the Dockerfile. */
const TIMEOUT_MS = 2_500;

/** An endpoint that listens on all addresses is reached at the one of this machine. */
const REACHED_AT: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

export function define(command: Command): void {
  addSettingOptions(command, ["http-port"]).action(async () => {
    await health(configOf(command).metrics);
  });
  addExamples(command, ["health", "health --http-port 9091"]);
}

async function health({ enabled, host, port }: Config["metrics"]): Promise<void> {
  if (!enabled) {
    print("not checked, because metrics.enabled is false");
    return;
  }
  const address = REACHED_AT[host] ?? host;
  const url = `http://${address.includes(":") ? `[${address}]` : address}:${port}/readyz`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    // Another program may answer at this address.
    const text = printableLines(await response.text());
    if (response.ok) print(text);
    else fail(text);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const problem = cause instanceof Error ? cause.message : String(cause);
    fail(
      `no answer from ${url} (${problem}): start a worker, or name the port of its HTTP endpoint with --http-port, and its host as metrics.host in --config`,
    );
  }
}

function fail(text: string): void {
  printError(text, "error");
  process.exitCode = 1;
}
