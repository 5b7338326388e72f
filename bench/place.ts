/** Where the coordinator is measured: NATS nodes, workers, and the contenders that are their clients. */
import { randomInt } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Cluster } from "../scripts/lab/cluster.ts";
import { Cleanup } from "../src/cleanup.ts";
import { ContenderProcess } from "./contender-process.ts";

export interface PlaceOptions {
  /** Of nats-server. */
  readonly binary: string;
  /** A folder of its own is made in it. */
  readonly folder: string;
  /** Default 1; with 3, the buckets have three replicas. */
  readonly nodes?: number;
  /** Processes. Default 1. */
  readonly workers?: number;
  /** Whether every write is on the disk before it is acknowledged. Default: as NATS has it. */
  readonly fsync?: boolean;
  /** Of the workers, by the names of their variables. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** As few as NATS may hand out on this machine, and none that is handed out to others. */
const PORTS = [10_000, 29_000] as const;

export class Place implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly #cleanup: Cleanup;

  private constructor(cluster: Cluster, cleanup: Cleanup) {
    this.cluster = cluster;
    this.#cleanup = cleanup;
  }

  /** Resolves when the coordinator answers. */
  static async start(options: PlaceOptions): Promise<Place> {
    const { nodes = 1, workers = 1, fsync = false, binary, settings } = options;
    const cleanup = new Cleanup();
    const cluster = await Cluster.start({
      ...{ nodes, workers, binary, network: null, isDirect: true },
      folder: mkdtempSync(join(options.folder, "place-")),
      firstPort: randomInt(...PORTS),
      serverConfig: fsync ? "jetstream { sync_interval: always }\n" : "",
      settings: { ...AS_USUAL, ...settings },
    });
    cleanup.use(cluster);
    return new Place(cluster, cleanup);
  }

  /** The coordinator's client. */
  coordinator(): Promise<ContenderProcess> {
    return this.#contender("coordinator.js");
  }

  /** NATS itself, with somebody who answers in place of a worker. */
  async floor(): Promise<{ player: ContenderProcess; responder: ContenderProcess }> {
    const responder = await this.#contender("floor-responder.js");
    return { player: await this.#contender("floor.js"), responder };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }

  async #contender(program: string): Promise<ContenderProcess> {
    const path = fileURLToPath(new URL(program, import.meta.url));
    return this.#cleanup.use(await ContenderProcess.start(path, this.cluster.urls));
  }
}

/** The defaults, where those of the chaos runs differ. */
const AS_USUAL = {
  IF_COORDINATOR_HISTORY: "16",
  IF_COORDINATOR_MAX_FAILURES: "3",
  IF_COORDINATOR_MAX_LOST_LEASES: "10",
  IF_COORDINATOR_RETENTION_SECONDS: "86400",
  // What `--workers` gives to each of its processes.
  NODE_OPTIONS: "--max-semi-space-size=32",
};
