/**
 * A connection that speaks the NATS protocol by hand, and so can send what no library allows. Subjects and
 * headers are bytes, one per character.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Authenticator } from "@nats-io/transport-node";

export interface Arrived {
  readonly subject: string;
  readonly headers: string;
  readonly payload: Buffer;
}

const HELLO = {
  ...{ verbose: false, pedantic: false, headers: true },
  ...{ no_responders: true, protocol: 1 },
};

export interface WireOptions {
  /** Default: this machine. */
  readonly host?: string;
  /** For a server with accounts. Default: none. */
  readonly login?: Authenticator | undefined;
}

export class Wire implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #arrived: (message: Arrived) => void;
  readonly #pings: (() => void)[] = [];
  readonly #greeting: Promise<{ readonly nonce?: string }>;
  #greeted: (info: { readonly nonce?: string }) => void = () => undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #error: string | null = null;

  private constructor(socket: Socket, arrived: (message: Arrived) => void) {
    this.#socket = socket;
    this.#arrived = arrived;
    this.#greeting = new Promise((resolve) => {
      this.#greeted = resolve;
    });
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
      let start = 0;
      for (let next = start; next >= 0; next = this.#readOne(start)) start = next;
      this.#buffer = this.#buffer.subarray(start);
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      for (const wake of this.#pings.splice(0)) wake();
    });
  }

  static async open(
    port: number,
    arrived: (message: Arrived) => void,
    { host = "127.0.0.1", login }: WireOptions = {},
  ): Promise<Wire> {
    const socket = connect(port, host);
    await once(socket, "connect");
    const wire = new Wire(socket, arrived);
    const identity = login?.((await wire.#greeting).nonce) ?? {};
    wire.send(Buffer.from(`CONNECT ${JSON.stringify({ ...HELLO, ...identity })}\r\n`));
    await wire.flush();
    return wire;
  }

  /** The complaint of the server, which it sends as `-ERR`. */
  get error(): string | null {
    return this.#error;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  subscribe(subject: string): void {
    this.send(Buffer.from(`SUB ${subject} 1\r\n`, "latin1"));
  }

  publish(subject: string, reply: string, headers: string | null, payload: Buffer): void {
    const to = reply === "" ? subject : `${subject} ${reply}`;
    const head = headers === null ? Buffer.alloc(0) : Buffer.from(headers, "latin1");
    const size = head.length + payload.length;
    const verb = headers === null ? `PUB ${to} ${size}` : `HPUB ${to} ${head.length} ${size}`;
    this.send(Buffer.concat([Buffer.from(`${verb}\r\n`, "latin1"), head, payload, CRLF]));
  }

  /** Resolves when the server has read everything that was sent, or has closed the connection. */
  async flush(): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#pings.push(resolve);
      this.send(Buffer.from("PING\r\n"));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  /** Reads one line and its message. @returns where the next line begins; -1 if bytes are missing */
  #readOne(start: number): number {
    const end = this.#buffer.indexOf("\r\n", start);
    if (end < 0) return -1;
    const line = this.#buffer.toString("latin1", start, end);
    const [verb = "", ...words] = line.split(" ");
    const next = end + 2;
    if (verb === "MSG" || verb === "HMSG") {
      const size = Number(words.at(-1));
      const over = next + size + 2;
      if (this.#buffer.length < over) return -1;
      const head = verb === "HMSG" ? Number(words.at(-2)) : 0;
      const headers = this.#buffer.toString("latin1", next, next + head);
      const payload = this.#buffer.subarray(next + head, next + size);
      this.#arrived({ subject: words[0] ?? "", headers, payload });
      return over;
    }
    if (verb === "PONG") this.#pings.shift()?.();
    else if (verb === "INFO") this.#greeted(JSON.parse(words.join(" ")) as object);
    else if (verb === "PING") this.send(Buffer.from("PONG\r\n"));
    else if (verb === "-ERR") this.#error = words.join(" ");
    return next;
  }
}

const CRLF = Buffer.from("\r\n");
