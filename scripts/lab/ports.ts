/**
 * Ports of this machine for servers. Tests and runs go on side by side, each in a process of its own, and a
 * server can be down for a restart: nobody else may take its port meanwhile. So a process keeps a UDP socket at
 * each port that it has taken. Only one process can have that, it ends with the process, and a TCP server at the
 * same port does not notice it.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

export const HOST = "127.0.0.1";

type Range = readonly [first: number, end: number];

/** Below the ports that systems give to clients. */
const PORTS: Range = [10_000, 30_000];
const MAX_ATTEMPTS = 100;

/** A port that no process listens at, and that is this process's as long as it runs. */
export async function takePort(): Promise<number> {
  return await takePorts(1);
}

/** @returns the first of so many ports, one after the other */
export async function takePorts(count: number, [start, end] = PORTS): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const first = randomInt(start, end - count + 1);
    try {
      for (let port = first; port < first + count; port++) await take(port);
      return first;
    } catch (error) {
      // The ports before the one that another process has stay taken. There are enough.
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** @throws Error if another process has it */
async function take(port: number): Promise<void> {
  const holder = createSocket("udp4").unref();
  holder.bind({ port, address: HOST, exclusive: true });
  try {
    await once(holder, "listening");
    const server = createServer().listen(port, HOST);
    await once(server, "listening");
    server.close();
    await once(server, "close");
  } catch (error) {
    holder.close();
    throw error;
  }
}
