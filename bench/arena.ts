/** The rivals of one run: the coordinator, NATS alone, and the peers that are installed. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Cleanup, startWithCleanup } from "../src/cleanup.ts";
import { Child } from "../scripts/lab/child.ts";
import type { ContenderMethods } from "./contender.ts";
import { type PlaceOptions, startPlace } from "./place.ts";
import type { ContenderProcess, Rival } from "./rival.ts";
import { BUILD_PEERS, type Peer, PEERS, PEERS_PROGRAM, SERVERS } from "./servers/peers.ts";
import type { PeerServer } from "./servers/server.ts";

export const OWN_TITLE = "if-coordinator";

export interface ArenaOptions extends PlaceOptions {
  /** The names of the peers that take part. Default: none. */
  readonly peers?: readonly string[];
  readonly tell: (line: string) => void;
}

export interface PeerRival extends Rival {
  readonly peer: Peer;
}

export interface Arena extends AsyncDisposable {
  readonly coordinator: Rival;
  readonly floor: Rival;
  readonly peers: readonly PeerRival[];
}

export async function startArena(options: ArenaOptions): Promise<Arena> {
  return await startWithCleanup(async (cleanup) => {
    const cluster = cleanup.use(await startPlace(options));
    const start = async (name: string, ...args: string[]): Promise<ContenderProcess> =>
      cleanup.use(await startContender(programOf(name), [...args, ...cluster.urls]));
    const [worker = [], server = []] = [cluster.workers, cluster.nodes].map((members) =>
      members.flatMap(({ pid }) => pid ?? []),
    );
    const coordinator = {
      title: OWN_TITLE,
      contender: await start("coordinator"),
      processes: { worker, server },
    };
    const responder = await start("floor", "responder");
    const floor = {
      title: "NATS",
      contender: await start("floor"),
      processes: { worker: [responder.pid], server },
    };
    const peers = await startPeers(options, cleanup);
    const dispose = (): Promise<void> => cleanup[Symbol.asyncDispose]();
    return { coordinator, floor, peers, [Symbol.asyncDispose]: dispose };
  });
}

export async function startContender(
  program: string,
  args: readonly string[],
): Promise<ContenderProcess> {
  return await Child.start<ContenderMethods>(program, args);
}

/** The path of a program in this folder. */
export function programOf(name: string): string {
  return fileURLToPath(new URL(`${name}.js`, import.meta.url));
}

async function startPeers(
  { peers: names = [], fsync = false, tell }: ArenaOptions,
  cleanup: Cleanup,
): Promise<PeerRival[]> {
  const program = fileURLToPath(new URL(`../../${PEERS_PROGRAM}`, import.meta.url));
  if (names.length > 0 && !existsSync(program)) {
    tell(`leaves the peers out, because their clients are not built: ${BUILD_PEERS}`);
    return [];
  }
  const servers = new Map<string, PeerServer>();
  const rivals: PeerRival[] = [];
  for (const peer of PEERS.filter(({ name }) => names.includes(name))) {
    const { findBinary, install, start } = SERVERS[peer.server];
    const binary = findBinary();
    if (binary === null) {
      tell(`leaves ${peer.title} out, because ${peer.server} is not installed: ${install}`);
      continue;
    }
    const server = servers.get(peer.server) ?? cleanup.use(await start({ binary, fsync }));
    servers.set(peer.server, server);
    const contender = cleanup.use(await startContender(program, [peer.name, server.url]));
    const processes = { worker: [], server: [server.pid] };
    rivals.push({ title: peer.title, contender, processes, peer });
  }
  return rivals;
}
