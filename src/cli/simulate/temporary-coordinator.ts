/** A coordinator for one command. When it is stopped, its server, data and workers are gone. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApp } from "../../app.ts";
import { startWithCleanup } from "../../cleanup.ts";
import { loadConfig } from "../../config.ts";
import { resolveServerBinary, startNatsServer } from "../../nats-server/dev-server.ts";

export interface TemporaryCoordinator {
  readonly natsUrl: string;
  stop(): Promise<void>;
}

export interface TemporaryCoordinatorOptions {
  readonly workers: number;
  /** Receives a line for each thing that the user may want to know, such as an installation. */
  readonly notify: (line: string) => void;
}

/** Starts a server on a free port, with its data in a temporary folder, and workers. */
export function startTemporaryCoordinator({
  workers,
  notify,
}: TemporaryCoordinatorOptions): Promise<TemporaryCoordinator> {
  return startWithCleanup(async (cleanup) => {
    const binary = await resolveServerBinary({ ...loadConfig().dev, notify });
    const storeDir = await mkdtemp(join(tmpdir(), "if-coordinator-"));
    cleanup.defer(() => rm(storeDir, { recursive: true, force: true }));
    const server = await startNatsServer({ binary, port: 0, storeDir, detached: true });
    cleanup.defer(() => server.stop());
    const app = await startApp(configFor(server.url, workers), { log: false });
    cleanup.defer(() => app.stop());
    return { natsUrl: server.url, stop: () => cleanup[Symbol.asyncDispose]() };
  });
}

/** A task may fail or lose its lease often without failing for good, and its history is kept for the checks. */
function configFor(natsUrl: string, workers: number) {
  // The server is one node without authentication. The settings for `serve` do not apply.
  return loadConfig({
    env: {},
    overrides: {
      "nats.servers": [natsUrl],
      workers,
      replicas: 1,
      history: 64,
      max_failures: 100,
      max_lost_leases: 0,
      "retry.base_ms": 50,
      "retry.max_ms": 1_000,
      retention_seconds: 0,
      "metrics.enabled": false,
    },
  });
}
