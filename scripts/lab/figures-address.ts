/** Where the processes of a run serve their figures by HTTP. */
import type { ClusterOptions } from "./cluster.ts";

const PORT = 8222;

type Placing = Pick<ClusterOptions, "network" | "firstPort" | "nodes">;

/** Where a node (its monitoring) or a worker (its metrics) serves its figures. */
export function figuresUrl(options: Placing, name: string): string {
  return `http://${figuresAddress(options, name)}`;
}

export function figuresAddress({ network, firstPort, nodes }: Placing, name: string): string {
  if (network !== null) return `${network.address(name)}:${PORT}`;
  // Nodes have two ports each; then come those of the figures, of the nodes and of the workers.
  const place = (name.startsWith("n") ? 0 : nodes) + Number(name.slice(1)) - 1;
  return `127.0.0.1:${firstPort + 2 * nodes + place}`;
}
