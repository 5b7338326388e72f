/** The peers that the coordinator is compared with: what each needs, can do, and promises. */
import type { Scenario } from "../contender.ts";
import { ETCD } from "./etcd.ts";
import { POSTGRES } from "./postgres.ts";
import { REDIS } from "./redis.ts";
import type { ServerKind } from "./server.ts";

/** The program of all peers, from the root of the repository. Its arguments are a name and a URL. */
export const PEERS_PROGRAM = "bench/peers/dist/bench/peers/main.js";
/** Runs in the root of the repository. */
export const BUILD_PEERS = "npm --prefix bench/peers ci && npm --prefix bench/peers run build";

export const SERVERS = {
  etcd: ETCD,
  redis: REDIS,
  postgres: POSTGRES,
} satisfies Record<string, ServerKind>;

/** The programs of the servers that are installed, by name. */
export function peerBinaries(): Record<string, string> {
  const found = Object.entries(SERVERS).flatMap(([name, { findBinary }]) => {
    const binary = findBinary();
    return binary === null ? [] : [[name, binary] as const];
  });
  return Object.fromEntries(found);
}

/** Where an acknowledged write is, with `fsync` and without. */
export interface Durability {
  readonly fsync: string;
  readonly relaxed: string;
}

export interface Peer {
  readonly name: string;
  /** For people: the client or library. */
  readonly title: string;
  readonly server: keyof typeof SERVERS;
  readonly scenarios: readonly Scenario[];
  /** What a reader of its figures must know. */
  readonly note: string;
}

const DURABILITIES = {
  etcd: {
    fsync: "on the disk (its only production setting)",
    relaxed: "in the page cache (--unsafe-no-fsync, for tests): a power loss loses it",
  },
  redis: {
    fsync: "on the disk (appendfsync always)",
    relaxed: "in memory, within 1 s on the disk (appendfsync everysec)",
  },
  postgres: {
    fsync: "on the disk (synchronous_commit on)",
    relaxed: "in memory, within 0.6 s on the disk (synchronous_commit off)",
  },
} satisfies Record<keyof typeof SERVERS, Durability>;

export const NATS_DURABILITY: Durability = {
  fsync: "on the disk (sync_interval: always)",
  relaxed: "in the page cache, within 2 minutes on the disk (sync_interval, as NATS has it)",
};

export function durabilityOf({ server }: Pick<Peer, "server">): Durability {
  return DURABILITIES[server];
}

export const PEERS: readonly Peer[] = [
  {
    ...{ name: "etcd", title: "etcd transactions (etcd3)", server: "etcd" },
    scenarios: ["claim", "contended", "complete", "create", "renew"],
    note: "A claim is a read and a transaction. One lease holds all claims of a session.",
  },
  {
    ...{ name: "redis", title: "Redis SET NX (ioredis)", server: "redis" },
    scenarios: ["claim", "contended", "renew"],
    note: "Only a lock: no record, attempts, dependencies, events or queue.",
  },
  {
    ...{ name: "bullmq", title: "BullMQ", server: "redis" },
    scenarios: ["next", "complete", "create", "import"],
    note: "Jobs are fetched by hand (getNextJob), one a call.",
  },
  {
    ...{ name: "postgres", title: "PostgreSQL SKIP LOCKED (pg)", server: "postgres" },
    scenarios: ["claim", "contended", "next", "complete", "create", "import"],
    note: "A table of tasks and five statements.",
  },
  {
    ...{ name: "graphile-worker", title: "Graphile Worker", server: "postgres" },
    scenarios: ["complete", "create", "import"],
    note: "Completions are not waited for. Its runner is ahead of the client: only the rate counts.",
  },
  {
    ...{ name: "pg-boss", title: "pg-boss", server: "postgres" },
    scenarios: ["next", "complete", "create", "import"],
    note: "Each fetch sorts all jobs that wait: the fewer there are, the faster it is.",
  },
];
