/** `if-coordinator run` as a process, on the coordinator of a test. */
import { type CliExit, CliProcess, MAIN } from "./cli-process.ts";
import type { TestCoordinator } from "./test-coordinator.ts";

/** @param script for the shell. `$cli` calls `if-coordinator`. */
export function startRun(
  coordinator: TestCoordinator,
  options: readonly string[],
  script: string,
): CliProcess {
  const args = ["run", "--nats", coordinator.server.url, ...options, "--", "sh", "-c", script];
  return new CliProcess(args, { env: { cli: `${process.execPath} ${MAIN}` } });
}

/** Runs it to its end. */
export async function runToEnd(
  coordinator: TestCoordinator,
  options: readonly string[],
  script: string,
): Promise<CliExit> {
  await using run = startRun(coordinator, options, script);
  return await run.exited;
}
