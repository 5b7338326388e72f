/** All who are compared in one run: the coordinator, NATS alone, and the peers that are installed. */
import { fileURLToPath } from "node:url";
import { existsSync } from "node:fs";
import { Cleanup } from "../src/cleanup.ts";
import { ContenderProcess } from "./contender-process.ts";
import { Place, type PlaceOptions } from "./place.ts";
import type { Rival } from "./rival.ts";
import { BUILD_PEERS, type Peer, PEERS, PEERS_PROGRAM, SERVERS } from "./servers/peers.ts";
import type { PeerServer } from "./servers/server.ts";

export const OWN_TITLE = "if-coordinator";

export interface ArenaOptions extends PlaceOptions {
  /** Which peers take part, by name. Default: none. */
  readonly peers?: readonly string[];
  readonly tell: (line: string) => void;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export class Arena implements AsyncDisposable {
  readonly place: Place;
  readonly coordinator: Rival;
  readonly floor: Rival;
  readonly peers: readonly (Rival & { readonly peer: Peer })[];
  readonly #cleanup: Cleanup;

  private constructor(
    parts: Pick<Arena, "place" | "coordinator" | "floor" | "peers">,
    cleanup: Cleanup,
  ) {
    this.place = parts.place;
    this.coordinator = parts.coordinator;
    this.floor = parts.floor;
    this.peers = parts.peers;
    this.#cleanup = cleanup;
  }

  static async start(options: ArenaOptions): Promise<Arena> {
    const cleanup = new Cleanup();
    try {
      const place = cleanup.use(await Place.start(options));
      const pidsOf = (members: readonly { readonly pid: number | undefined }[]): number[] =>
        members.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
      const server = pidsOf(place.cluster.nodes);
      const coordinator = {
        title: OWN_TITLE,
        contender: await place.coordinator(),
        processes: { worker: pidsOf(place.cluster.workers), server },
      };
      const { player, responder } = await place.floor();
      const floor = {
        title: "NATS",
        contender: player,
        processes: { worker: pidsOf([responder]), server },
      };
      const peers = await startPeers(options, cleanup);
      return new Arena({ place, coordinator, floor, peers }, cleanup);
    } catch (error) {
      await cleanup[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }
}

async function startPeers(
  { peers: names = [], fsync = false, tell }: ArenaOptions,
  cleanup: Cleanup,
): Promise<(Rival & { readonly peer: Peer })[]> {
  const program = `${ROOT}${PEERS_PROGRAM}`;
  if (names.length > 0 && !existsSync(program)) {
    tell(`no peers, as their clients are not built: ${BUILD_PEERS}`);
    return [];
  }
  const servers = new Map<string, PeerServer>();
  const rivals: (Rival & { readonly peer: Peer })[] = [];
  for (const peer of PEERS.filter(({ name }) => names.includes(name))) {
    const { findBinary, install, start } = SERVERS[peer.server];
    const binary = findBinary();
    if (binary === null) {
      tell(`without ${peer.title}, as ${peer.server} is not installed: ${install}`);
      continue;
    }
    const server = servers.get(peer.server) ?? cleanup.use(await start({ binary, fsync }));
    servers.set(peer.server, server);
    const contender = cleanup.use(await ContenderProcess.start(program, [peer.name, server.url]));
    const processes = { worker: [], server: [server.pid] };
    rivals.push({ title: peer.title, contender, processes, peer });
  }
  return rivals;
}
