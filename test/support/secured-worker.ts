/** A worker for tests that configure the NATS server themselves. */
import { startApp } from "../../src/app.ts";
import type { Cleanup } from "../../src/cleanup.ts";
import { loadConfig, type OverrideValues } from "../../src/config.ts";
import type { Fact } from "../../src/service/ports.ts";
import type { SecuredServer } from "./secured-server.ts";

/**
 * The cleanup stops the worker.
 *
 * @param facts receives what the worker reports
 */
export async function startWorker(
  cleanup: Cleanup,
  settings: OverrideValues,
  facts: Fact[] = [],
): Promise<void> {
  const overrides = {
    "metrics.enabled": false,
    "nats.connect_timeout_seconds": 0,
    ...settings,
  };
  const app = await startApp(loadConfig({ env: {}, overrides }), {
    log: false,
    observe: (fact) => facts.push(fact),
  });
  cleanup.defer(() => app.stop());
}

/** A worker with the credentials of the set-up, which serves principals only. */
export function serveSecured(
  { folder, server }: SecuredServer,
  cleanup: Cleanup,
  settings: OverrideValues = {},
): Promise<void> {
  return startWorker(cleanup, {
    "nats.servers": [server.url],
    "nats.creds_file": folder.credentialsFile("worker"),
    "auth.mode": "accounts",
    ...settings,
  });
}
