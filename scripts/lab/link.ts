/**
 * A TCP proxy between two processes of a run. Its connections can be slow, stand still or break.
 *
 * Data that stands still is passed on later, as TCP would send it again. Until then neither side learns
 * that the other has closed. Both sides see the same of a network that loses all packets.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** `up`: from the process that connects to the other. */
export type Direction = "up" | "down";

export interface Slowness {
  readonly delayMs: number;
  /** The most that is added to the delay of a chunk. */
  readonly jitterMs: number;
  /** For each direction of each connection. */
  readonly bytesPerSecond: number;
}

/** With more than this under way the sender has to wait, as for its TCP window. */
const WINDOW_BYTES = 256 * 1024;

export class Link implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stops: Readonly<Record<Direction, Set<Promise<void>>>> = {
    up: new Set(),
    down: new Set(),
  };
  #slowness: Slowness | null = null;

  private constructor(server: Server, host: string, target: string) {
    this.address = `${host}:${(server.address() as AddressInfo).port}`;
    this.#server = server;
    const [targetHost = "", targetPort = ""] = target.split(":");
    server.on("connection", (near) => {
      const far = connect({ port: Number(targetPort), host: targetHost, allowHalfOpen: true });
      this.#join(near, far, "up");
      this.#join(far, near, "down");
    });
  }

  /** Listens on any port of the host. The target is `host:port`. */
  static async open(host: string, target: string): Promise<Link> {
    // Otherwise the system would confirm an end at once, even while nothing is passed on.
    const server = createServer({ allowHalfOpen: true }).listen(0, host);
    await once(server, "listening");
    return new Link(server, host, target);
  }

  /** Passes nothing on in these directions until the returned function is called. */
  stop(...directions: Direction[]): () => void {
    let release = (): void => undefined;
    const stopped = new Promise<void>((resolve) => {
      release = resolve;
    });
    for (const direction of directions) this.#stops[direction].add(stopped);
    return () => {
      for (const direction of directions) this.#stops[direction].delete(stopped);
      release();
    };
  }

  /** `null`: as fast as possible. */
  slowDown(slowness: Slowness | null): void {
    this.#slowness = slowness;
  }

  /** Breaks the connections that exist now. New ones are possible. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.breakConnections();
    await once(this.#server, "close");
  }

  #join(from: Socket, to: Socket, direction: Direction): void {
    from.setNoDelay(true);
    this.#sockets.add(from);
    let last: Promise<unknown> = Promise.resolve();
    let dueAt = 0;
    let underWay = 0;
    const gone = new Promise((resolve) => to.once("close", resolve));
    from.on("data", (chunk: Buffer) => {
      dueAt = this.#dueAt(dueAt, chunk.length);
      const due = dueAt;
      underWay += chunk.length;
      if (underWay > WINDOW_BYTES) from.pause();
      last = last.then(async () => {
        const wait = due - performance.now();
        if (wait > 0) await delay(wait);
        await this.#untilOpen(direction);
        if (to.writable && !to.write(chunk)) await Promise.race([once(to, "drain"), gone]);
        underWay -= chunk.length;
        from.resume();
      });
      last.catch(() => undefined);
    });
    from.on("error", () => undefined);
    const end = (): void => {
      const pass = (): void => {
        to.destroySoon();
      };
      void last.then(() => this.#untilOpen(direction)).then(pass, pass);
    };
    from.once("end", end);
    from.once("close", () => {
      this.#sockets.delete(from);
      end();
    });
  }

  /** Not before the chunks that came earlier. */
  #dueAt(before: number, bytes: number): number {
    const now = performance.now();
    if (this.#slowness === null) return Math.max(before, now);
    const { delayMs, jitterMs, bytesPerSecond } = this.#slowness;
    const arrival = now + delayMs + Math.random() * jitterMs;
    return Math.max(before, arrival) + (bytes / bytesPerSecond) * 1000;
  }

  async #untilOpen(direction: Direction): Promise<void> {
    const stops = this.#stops[direction];
    while (stops.size > 0) await Promise.all(stops);
  }
}
