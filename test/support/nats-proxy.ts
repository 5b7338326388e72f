/**
 * Stands between a client and a NATS server, to show the client a server that is older, or one whose
 * words do not arrive.
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

  private constructor(server: Server, targetPort: number, options: NatsProxyOptions) {
    const { port } = server.address() as AddressInfo;
    this.url = `nats://127.0.0.1:${port}`;
    this.#server = server;
    server.on("connection", (client) => {
      this.#join(client, connect(targetPort, "127.0.0.1"), options);
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

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, server: Socket, { version }: NatsProxyOptions): void {
    let isGreeting = version !== undefined;
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => {
      if (this.#silent) return;
      if (!isGreeting) {
        client.write(chunk);
        return;
      }
      isGreeting = false;
      // The greeting is one short line, which comes in one piece.
      client.write(chunk.toString().replace(/"version":"[^"]*"/, `"version":"${version ?? ""}"`));
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
