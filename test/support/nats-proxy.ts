/**
 * A proxy between clients and a NATS server. To the clients, the server can look older, silent, or
 * unreachable.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export interface NatsProxyOptions {
  /** The version that clients see. Default: that of the server. */
  readonly version?: string;
}

export class NatsProxy implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The subscriptions of each client, by their ids. */
  readonly #subscriptions = new Map<Socket, Map<string, string>>();
  readonly #reactions = new Set<Reaction>();
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

  /** From now on, drops what the server sends. What clients send is still passed on. */
  silenceServer(): void {
    this.#silent = true;
  }

  /** Passes on again what the server sends. What it has sent meanwhile is lost. */
  endSilence(): void {
    this.#silent = false;
  }

  /** Like a server without power: nothing more passes on the connections that exist, and none ends. */
  freeze(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  /** Resolves when a client has sent this text, which was passed on to the server. */
  untilClientSays(words: string): Promise<void> {
    return new Promise((react) => {
      this.#reactions.add({ from: "client", words, react });
    });
  }

  /** Resolves when the server has sent this text, passed on or not. */
  untilServerSays(words: string): Promise<void> {
    return new Promise((react) => {
      this.#reactions.add({ from: "server", words, react });
    });
  }

  /** The current number of subscriptions of the clients to the subject. */
  subscriptionsTo(subject: string): number {
    const subjects = [...this.#subscriptions.values()].flatMap((ofOne) => [...ofOne.values()]);
    return subjects.filter((one) => one === subject).length;
  }

  /** Closes all connections and refuses new ones. */
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
    this.#subscriptions.set(client, new Map());
    client.on("data", (chunk) => {
      this.#noteSubscriptions(client, chunk.toString("latin1"));
      server.write(chunk);
      this.#react("client", chunk);
    });
    server.on("data", (chunk) => {
      if (!this.#silent) client.write(version === undefined ? chunk : withVersion(chunk, version));
      this.#react("server", chunk);
    });
    client.on("close", () => this.#subscriptions.delete(client));
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

  /** It relies on clients that send each command in one piece, and on payloads that do not look like commands. */
  #noteSubscriptions(client: Socket, text: string): void {
    const subjects = this.#subscriptions.get(client);
    for (const [, subject, id] of text.matchAll(/^SUB (\S+)(?: \S+)? (\S+)\r$/gm)) {
      if (subject !== undefined && id !== undefined) subjects?.set(id, subject);
    }
    for (const [, id] of text.matchAll(/^UNSUB (\S+)\r$/gm)) subjects?.delete(id ?? "");
  }

  #react(from: Reaction["from"], chunk: Buffer): void {
    for (const reaction of this.#reactions) {
      if (reaction.from !== from || !chunk.includes(reaction.words)) continue;
      this.#reactions.delete(reaction);
      reaction.react();
    }
  }
}

interface Reaction {
  readonly from: "client" | "server";
  readonly words: string;
  readonly react: () => void;
}

/** The server sends its INFO line on connecting and again later, each time in one short line. */
function withVersion(chunk: Buffer, version: string): Buffer {
  const text = chunk.toString("latin1");
  return Buffer.from(
    text.replace(/^(INFO \{.*?"version":")[^"]*/gm, (_, before: string) => before + version),
    "latin1",
  );
}
