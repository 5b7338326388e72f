/**
 * Redis with an append-only file, synced before each acknowledgement, or once a second, as it usually runs
 * in production. There are no snapshots: the file has everything, and a fork now and then would only blur
 * the figures.
 */
import { connect } from "node:net";
import { HOST, takePort } from "../../scripts/lab/ports.ts";
import { findOnPath, type ServerKind, startServer } from "./server.ts";

export const REDIS: ServerKind = {
  findBinary: () => findOnPath("redis-server"),
  install: "apt-get install -y redis-server",
  start: async ({ binary, fsync }) => {
    const port = await takePort();
    return await startServer("redis", ({ path }) => ({
      binary,
      args: [
        ...["--bind", HOST, "--port", String(port), "--dir", path],
        ...["--save", "", "--appendonly", "yes", "--appendfsync", fsync ? "always" : "everysec"],
      ],
      url: `redis://${HOST}:${port}`,
      isAnswering: async () => {
        const socket = connect(port, HOST);
        socket.write("PING\r\n");
        for await (const reply of socket) return String(reply).startsWith("+PONG");
        return false;
      },
    }));
  },
};
