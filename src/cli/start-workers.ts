/** The workers of a command: one is in the command's process, of several each has one of its own. */
import { type App, type AppOptions, startApp } from "../app.ts";
import type { Config } from "../config.ts";
import { startWorkerPool } from "../pool/worker-pool.ts";
import type { Part } from "./run-service.ts";

/** @throws StartupError */
export function startWorkers(
  config: Config,
  options: Pick<AppOptions, "observe"> & { readonly signal: AbortSignal },
): Promise<Part & Pick<App, "httpUrl">> {
  return config.workers === 1 ? startApp(config, options) : startWorkerPool(config, options);
}
