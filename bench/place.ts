/** Starts the coordinator that is measured: NATS nodes, and workers. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../scripts/lab/cluster.ts";

export interface PlaceOptions {
  /** The path of nats-server. */
  readonly binary: string;
  /** Each place makes a folder of its own in it. */
  readonly folder: string;
  /** Default 1; with 3, the buckets have three replicas. */
  readonly nodes?: number;
  /** Processes. Default 1. */
  readonly workers?: number;
  /** Whether every write is on the disk before it is acknowledged. Default: the default of NATS. */
  readonly fsync?: boolean;
}

/** The default settings that the cluster of the chaos runs changes. */
const DEFAULTS = {
  IF_COORDINATOR_HISTORY: "16",
  IF_COORDINATOR_MAX_FAILURES: "3",
  IF_COORDINATOR_MAX_LOST_LEASES: "10",
  IF_COORDINATOR_RETENTION_SECONDS: "86400",
  // `serve --workers` gives it to each of its processes.
  NODE_OPTIONS: "--max-semi-space-size=32",
};

/** The places that have been started, or are being started. */
const places = new Set<Promise<Cluster>>();

/** Resolves when the coordinator answers. */
export async function startPlace(options: PlaceOptions): Promise<Cluster> {
  const { nodes = 1, workers = 1, fsync = false, binary } = options;
  const place = Cluster.start({
    ...{ nodes, workers, binary, network: null, isDirect: true },
    folder: mkdtempSync(join(options.folder, "place-")),
    serverConfig: fsync ? "jetstream { sync_interval: always }\n" : "",
    settings: DEFAULTS,
  });
  places.add(place);
  return await place;
}

/** Ends all places of a run that was interrupted. */
export async function endPlaces(): Promise<void> {
  const started = await Promise.allSettled(places);
  const clusters = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  await Promise.all(clusters.map((cluster) => cluster[Symbol.asyncDispose]()));
}

/** The process id of the only worker. */
export function workerPid({ workers }: Cluster): number {
  return workers[0]?.pid ?? 0;
}
