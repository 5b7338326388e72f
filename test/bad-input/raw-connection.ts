/** A client that speaks the NATS protocol by hand, and so can say what no library lets one say. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A message as it arrives, the header block and the payload unread. */
export interface RawMessage {
  readonly subject: string;
  readonly text: string;
}

const PATIENCE_MS = 10_000;

export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #received: RawMessage[] = [];
  readonly #wakers = new Set<() => void>();
  #buffer: Buffer = Buffer.alloc(0);
  #pongs = 0;
  /** What the server complained about, as `-ERR` says it. */
  error: string | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      while (this.#readOne());
      for (const wake of this.#wakers) wake();
    });
    socket.on("error", () => undefined);
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const connection = new RawConnection(socket);
    connection.send(
      'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"protocol":1}\r\n',
    );
    await connection.flush();
    return connection;
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  subscribe(subject: string, id: number): void {
    this.send(`SUB ${subject} ${id}\r\n`);
  }

  publish(subject: string, reply: string, payload: string | Buffer): void {
    const body = Buffer.from(payload);
    this.send(`PUB ${subject} ${reply} ${body.length}\r\n`);
    this.send(Buffer.concat([body, Buffer.from("\r\n")]));
  }

  /** `headers` goes out as it is, malformed or not. */
  publishWithHeaders(
    subject: string,
    reply: string,
    headers: string,
    payload: string | Buffer,
  ): void {
    const body = Buffer.from(payload);
    const head = Buffer.from(headers, "latin1");
    this.send(`HPUB ${subject} ${reply} ${head.length} ${head.length + body.length}\r\n`);
    this.send(Buffer.concat([head, body, Buffer.from("\r\n")]));
  }

  /** Resolves when the server has taken in everything that was sent. */
  async flush(): Promise<void> {
    const awaited = this.#pongs + 1;
    this.send("PING\r\n");
    await this.#until(() => this.#pongs >= awaited || undefined);
  }

  /** The next message on the subject. */
  message(subject: string): Promise<RawMessage> {
    return this.#until(() => {
      const position = this.#received.findIndex((message) => message.subject === subject);
      return position < 0 ? undefined : this.#received.splice(position, 1)[0];
    });
  }

  /** Everything that has come and was not taken yet. */
  take(): RawMessage[] {
    return this.#received.splice(0);
  }

  /** Resolves when the server has ended the connection. */
  async closed(): Promise<void> {
    if (!this.#socket.destroyed) await once(this.#socket, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }

  #until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wakers.delete(wake);
        reject(new Error(`the server said nothing more (last error: ${this.error ?? "none"})`));
      }, PATIENCE_MS);
      const wake = (): void => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve(found);
      };
      this.#wakers.add(wake);
      wake();
    });
  }

  /** Reads one line, and the message that belongs to it, off the buffer. */
  #readOne(): boolean {
    const end = this.#buffer.indexOf("\r\n");
    if (end < 0) return false;
    const line = this.#buffer.toString("latin1", 0, end);
    const [verb = "", ...words] = line.split(" ");
    let length = end + 2;
    if (verb === "MSG" || verb === "HMSG") {
      const size = Number(words.at(-1));
      if (this.#buffer.length < length + size + 2) return false;
      const text = this.#buffer.toString("utf8", length, length + size);
      this.#received.push({ subject: words[0] ?? "", text });
      length += size + 2;
    } else if (verb === "PONG") this.#pongs++;
    else if (verb === "PING") this.send("PONG\r\n");
    else if (verb === "-ERR") this.error = words.join(" ");
    this.#buffer = this.#buffer.subarray(length);
    return true;
  }
}
