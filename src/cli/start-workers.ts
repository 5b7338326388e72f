/** The workers of a command: one is in the command's process, of several each has one of its own. */
import { type App, startApp } from "../app.ts";
import type { Config } from "../config.ts";
import { startWorkerPool } from "../pool/worker-pool.ts";
import type { Part } from "./run-service.ts";

/**
 * @param signal gives up a start that is under way
 * @throws StartupError
 */
export function startWorkers(
  config: Config,
  signal: AbortSignal,
): Promise<Part & Pick<App, "httpUrl">> {
  return config.workers === 1 ? startApp(config, { signal }) : startWorkerPool(config, signal);
}
