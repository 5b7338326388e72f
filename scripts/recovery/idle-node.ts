/** Finds a node of a cluster that leads no bucket, and makes one idle where each leads something. */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Member } from "../lab/member.ts";
import type { Bench } from "./bench.ts";
import { rolesOf } from "./stream-leader.ts";

const BUCKETS = ["KV_tasks", "KV_leases", "KV_sessions"] as const;
const ATTEMPTS = 50;
const ELECTION_MS = 1_000;

const jsz = z.object({ meta_cluster: z.object({ leader: z.string().optional() }) });

/** @throws Error if no election has left a node without a task */
export async function idleNode(bench: Bench): Promise<Member> {
  const { cluster, connection, monitors } = bench;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const reply = await fetch(`${monitors[0] ?? ""}/jsz`);
      const { meta_cluster: meta } = jsz.parse(await reply.json());
      const roles = await Promise.all(BUCKETS.map((bucket) => rolesOf(cluster, bucket)));
      const busy = new Set([meta.leader, ...roles.map(({ leader }) => leader.name)]);
      const idle = cluster.nodes.find(({ name }) => !busy.has(name));
      if (idle !== undefined) return idle;
      const bucket = BUCKETS[attempt % BUCKETS.length] ?? BUCKETS[0];
      await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${bucket}`);
    } catch {
      // An election is under way: there is no leader to be told.
    }
    await delay(ELECTION_MS);
  }
  throw new Error("every node leads something");
}
