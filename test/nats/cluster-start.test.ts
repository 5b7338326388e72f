/** Workers on a cluster that has just started and has no leaders yet. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Cluster } from "../../scripts/lab/cluster.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

const ROUNDS = 3;
const WORKERS = 2;

/** Resolves when the given number of workers are ready. */
async function untilAllServe(urls: readonly string[]): Promise<void> {
  const connection = await connectNats({ servers: urls });
  try {
    const replies = connection.subscribe("pings");
    const ask = setInterval(() => {
      connection.publish("$SRV.PING.coordinator", "", { reply: "pings" });
    }, 100);
    const ids = new Set<string>();
    for await (const reply of replies) {
      ids.add(reply.json<{ id: string }>().id);
      if (ids.size === WORKERS) break;
    }
    clearInterval(ask);
  } finally {
    await connection.close();
  }
}

describe("two workers that start together on an empty cluster of three nodes", () => {
  for (let round = 1; round <= ROUNDS; round++) {
    it(`become ready, and neither ends (${round} of ${ROUNDS})`, async () => {
      await using folder = await TempFolder.create();
      const binary = await serverBinary();
      await using cluster = await Cluster.start({
        ...{ nodes: 3, workers: WORKERS, binary, folder: folder.path },
        ...{ network: null, isDirect: true },
      });
      await untilAllServe(cluster.urls);
      for (const { name, endings } of cluster.workers) {
        assert.deepEqual(endings, [], await readFile(join(folder.path, `${name}.log`), "utf8"));
      }
    });
  }
});
