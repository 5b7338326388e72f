/** Which node of a cluster leads a stream. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../../src/nats/connection.ts";
import type { Cluster } from "../lab/cluster.ts";
import type { Member } from "../lab/member.ts";
import { patiently } from "./patiently.ts";

export interface Roles {
  readonly leader: Member;
  readonly followers: readonly Member[];
}

type Nodes = Pick<Cluster, "nodes" | "urls">;

/** Waits for an election that is under way. @throws Error if it does not end */
export function rolesOf(cluster: Nodes, stream: string): Promise<Roles> {
  return patiently(() => askForRoles(cluster, stream));
}

async function askForRoles({ nodes, urls }: Nodes, stream: string): Promise<Roles> {
  const connection = await connectNats({ servers: urls, name: "roles" });
  try {
    const jsm = await jetstreamManager(connection);
    const { cluster } = await jsm.streams.info(stream);
    // A node that runs alone is in no cluster, and leads what it has.
    const name = cluster === undefined ? nodes[0]?.name : cluster.leader;
    const leader = nodes.find((node) => node.name === name);
    if (leader === undefined) throw new Error(`${stream} has no leader`);
    return { leader, followers: nodes.filter((node) => node !== leader) };
  } finally {
    await connection.close();
  }
}
