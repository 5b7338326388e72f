/**
 * Redis with an append-only file: synced before each acknowledgement, or once a second, which is how it
 * is usually run in production. Snapshots are off: the file has it all, and a fork now and then would
 * only blur the figures.
 */
import { connect } from "node:net";
import { GuardedFolder } from "./guarded-folder.ts";
import {
  findOnPath,
  freePort,
  HOST,
  type PeerServer,
  type ServerOptions,
  startServer,
} from "./server.ts";

export const INSTALL_REDIS = "apt-get install -y redis-server";

export function findRedisBinary(): string | null {
  return findOnPath("redis-server");
}

export async function startRedis({ binary, fsync }: ServerOptions): Promise<PeerServer> {
  const folder = await GuardedFolder.create("redis");
  const port = await freePort();
  return await startServer(folder, {
    binary,
    args: [
      ...["--bind", HOST, "--port", String(port), "--dir", folder.path],
      ...["--save", "", "--appendonly", "yes", "--appendfsync", fsync ? "always" : "everysec"],
    ],
    url: `redis://${HOST}:${port}`,
    isAnswering: () => isAnswering(port),
  });
}

async function isAnswering(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  socket.write("PING\r\n");
  for await (const reply of socket) return String(reply).startsWith("+PONG");
  return false;
}
