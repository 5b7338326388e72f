/** Which node leads a bucket at this moment. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../../src/nats/connection.ts";

const TIMEOUT_MS = 1_000;

/** The node's name; `null` while none leads, or none says so in time. */
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
      // It is down, or knows nobody who could tell: another one may.
    }
  }
  return null;
}
