/**
 * Stands between a client and a NATS server, to show the client a server that is older, one whose words
 * do not arrive, or one that cannot be reached for a while.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export interface NatsProxyOptions {
  /** The version that the server says it has. Default: its own. */
  readonly version?: string;
}

export class NatsProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #silent = false;
  #open = true;

  private constructor(server: Server, targetPort: number, options: NatsProxyOptions) {
    const { port } = server.address() as AddressInfo;
    this.url = `nats://127.0.0.1:${port}`;
    this.#server = server;
    server.on("connection", (client) => {
      if (this.#open) this.#join(client, connect(targetPort, "127.0.0.1"), options);
      else client.destroy();
    });
  }

  static async start(targetPort: number, options: NatsProxyOptions = {}): Promise<NatsProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new NatsProxy(server, targetPort, options);
  }

  /** From now on nothing that the server says reaches the client; what the client says goes on. */
  silenceServer(): void {
    this.#silent = true;
  }

  /** Ends all connections and lets nobody connect. */
  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets clients connect again. */
  mend(): void {
    this.#open = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, server: Socket, { version }: NatsProxyOptions): void {
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => {
      if (!this.#silent) client.write(version === undefined ? chunk : withVersion(chunk, version));
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}

/** The server introduces itself on connecting and again later, each time in one short line. */
function withVersion(chunk: Buffer, version: string): Buffer {
  const text = chunk.toString("latin1");
  return Buffer.from(
    text.replace(/^(INFO \{.*?"version":")[^"]*/gm, (_, before: string) => before + version),
    "latin1",
  );
}
