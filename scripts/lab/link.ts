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

/** A slowness that has not ended yet. */
interface Pace extends Slowness {
  /** Resolves when it ends. Then nothing waits for it any longer, or a fault would outlive its repair. */
  readonly ended: Promise<void>;
}

export class Link implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #stops: Readonly<Record<Direction, Set<Promise<void>>>> = {
    up: new Set(),
    down: new Set(),
  };
  /** The last one counts. */
  readonly #paces = new Set<Pace>();

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
    const { promise: stopped, resolve: release } = withResolvers();
    for (const direction of directions) this.#stops[direction].add(stopped);
    return () => {
      for (const direction of directions) this.#stops[direction].delete(stopped);
      release();
    };
  }

  /** Slows all connections down until the returned function is called. */
  slowDown(slowness: Slowness): () => void {
    const { promise: ended, resolve: release } = withResolvers();
    const pace = { ...slowness, ended };
    this.#paces.add(pace);
    return () => {
      this.#paces.delete(pace);
      release();
    };
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
    const line = new Line();
    let underWay = 0;
    const gone = new Promise((resolve) => to.once("close", resolve));
    from.on("data", (chunk: Buffer) => {
      const arrived = line.arrival(chunk.length, [...this.#paces].at(-1));
      underWay += chunk.length;
      if (underWay > WINDOW_BYTES) from.pause();
      last = last.then(async () => {
        await arrived();
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

  async #untilOpen(direction: Direction): Promise<void> {
    const stops = this.#stops[direction];
    while (stops.size > 0) await Promise.all(stops);
  }
}

/** The chunks of one direction of a connection, one after the other. */
class Line {
  #pace: Pace | undefined;
  #dueAt = 0;

  /** Returns a wait until the chunk has arrived. No chunk arrives before those that came earlier. */
  arrival(bytes: number, pace: Pace | undefined): () => Promise<unknown> {
    if (pace !== this.#pace) this.#dueAt = 0;
    this.#pace = pace;
    if (pace === undefined) return () => Promise.resolve();
    const { delayMs, jitterMs, bytesPerSecond, ended } = pace;
    const arrival = performance.now() + delayMs + Math.random() * jitterMs;
    const dueAt = Math.max(this.#dueAt, arrival) + (bytes / bytesPerSecond) * 1000;
    this.#dueAt = dueAt;
    return async () => {
      const over = new AbortController();
      const waitMs = Math.max(0, dueAt - performance.now());
      const waited = delay(waitMs, undefined, { signal: over.signal });
      await Promise.race([waited.catch(() => undefined), ended]);
      over.abort();
    };
  }
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((resolveIt) => {
    resolve = resolveIt;
  });
  return { promise, resolve };
}
