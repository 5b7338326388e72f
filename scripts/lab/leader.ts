/** Which node of a cluster leads a bucket. */
import { jetstreamManager } from "@nats-io/jetstream";
import pRetry from "p-retry";
import { connectNats } from "../../src/nats/connection.ts";
import type { Cluster } from "./cluster.ts";
import type { Member } from "./member.ts";

const TIMEOUT_MS = 1_000;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

export interface Roles {
  readonly leader: Member;
  readonly followers: readonly Member[];
}

/** The name of the node; `null` while there is no leader, or no node names it in time. */
export async function leaderOf(bucket: string, urls: readonly string[]): Promise<string | null> {
  for (const url of urls) {
    try {
      const connection = await connectNats({ servers: [url], maxReconnectAttempts: 0 });
      try {
        const options = { checkAPI: false, timeout: TIMEOUT_MS };
        const jsm = await jetstreamManager(connection, options);
        const { cluster } = await jsm.streams.info(`KV_${bucket}`);
        if (cluster?.leader !== undefined) return cluster.leader;
      } finally {
        await connection.close();
      }
    } catch {
      // The node is down, or knows no leader. Another node may answer.
    }
  }
  return null;
}

/** Waits for an election that is under way. @throws Error if there is no leader after a minute */
export function rolesOf(
  { nodes, urls }: Pick<Cluster, "nodes" | "urls">,
  bucket: string,
): Promise<Roles> {
  return patiently(async () => {
    // A single node is in no cluster, and leads every bucket.
    const name = nodes.length === 1 ? nodes[0]?.name : await leaderOf(bucket, urls);
    const leader = nodes.find((node) => node.name === name);
    if (leader === undefined) throw new Error(`${bucket} has no leader`);
    return { leader, followers: nodes.filter((node) => node !== leader) };
  });
}

/** Repeats a question while the cluster elects its leaders. @throws the last error after a minute */
export function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return pRetry(ask, {
    retries: Infinity,
    maxRetryTime: PATIENCE_MS,
    minTimeout: PAUSE_MS,
    factor: 1,
  });
}
