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
  readonly durability: Durability;
  /** What a reader of its figures must know. */
  readonly note?: string;
}

const ETCD_DURABILITY: Durability = {
  fsync: "on the disk before each acknowledgement (etcd's only production setting)",
  relaxed: "in the page cache (--unsafe-no-fsync, meant for tests): lost with the machine's power",
};
const REDIS_DURABILITY: Durability = {
  fsync: "on the disk before each acknowledgement (appendfsync always)",
  relaxed: "in memory, on the disk within a second (appendfsync everysec)",
};
const POSTGRES_DURABILITY: Durability = {
  fsync: "on the disk before each acknowledgement (synchronous_commit on)",
  relaxed: "in memory, on the disk within 0.6 s (synchronous_commit off)",
};

export const PEERS: readonly Peer[] = [
  {
    ...{
      name: "etcd",
      title: "etcd transactions (etcd3)",
      server: "etcd",
      durability: ETCD_DURABILITY,
    },
    scenarios: ["claim", "contended", "complete", "create", "renew"],
    note: "a read and a transaction for each claim; one lease for all claims of a session",
  },
  {
    ...{
      name: "redis",
      title: "Redis SET NX (ioredis)",
      server: "redis",
      durability: REDIS_DURABILITY,
    },
    scenarios: ["claim", "contended", "renew"],
    note: "a lock and nothing else: no record, attempts, dependencies, events, or queue",
  },
  {
    ...{ name: "bullmq", title: "BullMQ", server: "redis", durability: REDIS_DURABILITY },
    scenarios: ["next", "complete", "create", "import"],
    note: "jobs are fetched by hand (getNextJob), one a call",
  },
  {
    ...{ name: "postgres", title: "PostgreSQL SKIP LOCKED (pg)", server: "postgres" },
    durability: POSTGRES_DURABILITY,
    scenarios: ["claim", "contended", "next", "complete", "create", "import"],
  },
  {
    ...{ name: "graphile-worker", title: "Graphile Worker", server: "postgres" },
    durability: {
      fsync: `${POSTGRES_DURABILITY.fsync}; a job's completion is not waited for`,
      relaxed: `${POSTGRES_DURABILITY.relaxed}; a job's completion is not waited for`,
    },
    scenarios: ["complete", "create", "import"],
    note: "complete: its runner is ahead of who waits for a job, so that only the rate counts",
  },
  {
    ...{ name: "pg-boss", title: "pg-boss", server: "postgres", durability: POSTGRES_DURABILITY },
    scenarios: ["next", "complete", "create", "import"],
    note: "each fetch sorts all jobs that wait: the fewer there are, the faster it is",
  },
];
