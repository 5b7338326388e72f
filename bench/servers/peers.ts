/** Whom the coordinator is compared with: what each of them needs, can do, and promises. */
import type { Scenario } from "../contender.ts";
import { findEtcdBinary, INSTALL_ETCD, startEtcd } from "./etcd.ts";
import { findPostgresBinary, INSTALL_POSTGRES, startPostgres } from "./postgres.ts";
import { findRedisBinary, INSTALL_REDIS, startRedis } from "./redis.ts";
import type { PeerServer, ServerOptions } from "./server.ts";

/** The program of all of them, from the repository's root; its arguments are a peer's name and a URL. */
export const PEERS_PROGRAM = "bench/peers/dist/peers/main.js";
/** To be run in the repository's root. */
export const BUILD_PEERS = "npm --prefix bench/peers ci && npm --prefix bench/peers run build";

export interface PeerServerKind {
  /** `null`: not installed. */
  readonly findBinary: () => string | null;
  readonly install: string;
  readonly start: (options: ServerOptions) => Promise<PeerServer>;
}

export const SERVERS = {
  etcd: { findBinary: findEtcdBinary, install: INSTALL_ETCD, start: startEtcd },
  redis: { findBinary: findRedisBinary, install: INSTALL_REDIS, start: startRedis },
  postgres: { findBinary: findPostgresBinary, install: INSTALL_POSTGRES, start: startPostgres },
} satisfies Record<string, PeerServerKind>;

/** Of the servers that are installed, by name. */
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
  /** For people: which client or library it is. */
  readonly title: string;
  readonly server: keyof typeof SERVERS;
  readonly scenarios: readonly Scenario[];
  readonly durability: Durability;
  /** What a reader of its figures has to know. */
  readonly note?: string;
}

const ETCD: Durability = {
  fsync: "on the disk before each acknowledgement (etcd's only production setting)",
  relaxed: "in the page cache (--unsafe-no-fsync, meant for tests): lost with the machine's power",
};
const REDIS: Durability = {
  fsync: "on the disk before each acknowledgement (appendfsync always)",
  relaxed: "in memory, on the disk within a second (appendfsync everysec)",
};
const POSTGRES: Durability = {
  fsync: "on the disk before each acknowledgement (synchronous_commit on)",
  relaxed: "in memory, on the disk within 0.6 s (synchronous_commit off)",
};

export const PEERS: readonly Peer[] = [
  {
    ...{ name: "etcd", title: "etcd transactions (etcd3)", server: "etcd", durability: ETCD },
    scenarios: ["claim", "contended", "complete", "create", "renew"],
    note: "a read and a transaction for each claim; one lease for all claims of a session",
  },
  {
    ...{ name: "redis", title: "Redis SET NX (ioredis)", server: "redis", durability: REDIS },
    scenarios: ["claim", "contended", "renew"],
    note: "a lock and nothing else: no record, attempts, dependencies, events, or queue",
  },
  {
    ...{ name: "bullmq", title: "BullMQ", server: "redis", durability: REDIS },
    scenarios: ["next", "complete", "create", "import"],
    note: "jobs are fetched by hand (getNextJob), one a call",
  },
  {
    ...{ name: "postgres", title: "PostgreSQL SKIP LOCKED (pg)", server: "postgres" },
    durability: POSTGRES,
    scenarios: ["claim", "contended", "next", "complete", "create", "import"],
  },
  {
    ...{ name: "graphile-worker", title: "Graphile Worker", server: "postgres" },
    durability: {
      fsync: `${POSTGRES.fsync}; a job's completion is not waited for`,
      relaxed: `${POSTGRES.relaxed}; a job's completion is not waited for`,
    },
    scenarios: ["complete", "create", "import"],
    note: "complete: its runner is ahead of who waits for a job, so that only the rate counts",
  },
  {
    ...{ name: "pg-boss", title: "pg-boss", server: "postgres", durability: POSTGRES },
    scenarios: ["next", "complete", "create", "import"],
    note: "each fetch sorts all jobs that wait: the fewer there are, the faster it is",
  },
];
