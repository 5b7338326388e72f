/** Runs a program that uses the coordinator as a module, in a process that must end by itself. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const TIMEOUT_MS = 30_000;

/**
 * Runs the statements with `start(settings, options)` in scope, which is `startApp` without a log. Resolves
 * with what they print. Rejects if the process fails or does not end.
 */
export async function runModule(body: string): Promise<string> {
  const source = (path: string): string =>
    JSON.stringify(new URL(`../../src/${path}.js`, import.meta.url));
  const program = `
    import { startApp } from ${source("app")};
    import { loadConfig } from ${source("config")};
    const defaults = { "metrics.port": 0, "nats.connect_timeout_seconds": 0 };
    const start = (overrides, options) => startApp(
      loadConfig({ env: {}, overrides: { ...defaults, ...overrides } }),
      { log: false, ...options },
    );
    ${body}`;
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
  return stdout;
}
