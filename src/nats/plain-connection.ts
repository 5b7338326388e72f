/**
 * A connection for the few requests of one command, without the NATS library, which takes longer to load than
 * to connect and ask. It speaks the text protocol of NATS over TCP.
 *
 * It has no TLS, does not connect again, and explains nothing. For all of that, the caller uses the library.
 */
import { createConnection, type Socket } from "node:net";
import { MAX_TIMER_MS } from "../timers.ts";
import type { ConnectOptions } from "./connection.ts";
import { plainLogin, plainServer, type ServerInfo } from "./plain-login.ts";
import { randomKey } from "./random-keys.ts";
import {
  DEFAULT_MAX_PAYLOAD,
  noAnswerInTime,
  nobodyAnswers,
  refuseTooLarge,
  RequestFailedError,
  requestNotPermitted,
  type Requester,
} from "./requester.ts";
import { type Frame, WireReader } from "./wire-reader.ts";

/** A server that has not accepted the login by then is left to the library, which waits longer. */
const PATIENCE_MS = 1_000;

/** Why there is no plain connection: nobody listens at the only address, or the library is needed. */
export type NotPlain = "unreachable" | "unsuitable";

interface Pending {
  readonly subject: string;
  readonly resolve: (text: string) => void;
  readonly reject: (error: RequestFailedError) => void;
}

/** Resolves when the server has accepted the login and the subscription to the inbox. Never rejects. */
export async function connectPlainly(options: ConnectOptions): Promise<PlainConnection | NotPlain> {
  const server = plainServer(options);
  if (server === null) return "unsuitable";
  const connection = new PlainConnection(createConnection({ ...server, noDelay: true }), options);
  const problem = await connection.loggedIn;
  if (problem === null) return connection;
  connection.close();
  return problem;
}

export class PlainConnection implements Requester {
  /** Resolves with the reason if there is no connection. */
  readonly loggedIn: Promise<NotPlain | null>;
  readonly #socket: Socket;
  readonly #options: ConnectOptions;
  readonly #inbox: string;
  readonly #reader = new WireReader();
  /** By the subjects on which the replies come. */
  readonly #pending = new Map<string, Pending>();
  #endLogin: (problem: NotPlain | null) => void = () => undefined;
  #info: ServerInfo | null = null;
  #sent = 0;

  constructor(socket: Socket, options: ConnectOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#inbox = `${options.inboxPrefix ?? "_INBOX"}.${randomKey()}`;
    this.loggedIn = new Promise((resolve) => {
      this.#endLogin = resolve;
    });
    const timer = setTimeout(() => {
      this.#endLogin("unsuitable");
    }, PATIENCE_MS);
    void this.loggedIn.then(() => {
      clearTimeout(timer);
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const frame of this.#reader.read(chunk)) this.#receive(frame);
      } catch {
        // It is no NATS server.
        this.close();
      }
    });
    socket.on("error", ({ code }: NodeJS.ErrnoException) => {
      this.#endLogin(code === "ECONNREFUSED" ? "unreachable" : "unsuitable");
    });
    socket.on("close", () => {
      this.#endLogin("unsuitable");
      for (const { subject, reject } of this.#pending.values()) {
        const message = `the request to ${subject} failed: the connection was lost`;
        reject(new RequestFailedError("failed", message));
      }
    });
  }

  get maxPayload(): number {
    return this.#info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** An abort closes the connection. So NATS tells the worker that answers that nobody listens. */
  async request(
    subject: string,
    text: string,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<string> {
    refuseTooLarge(subject, text, this.maxPayload);
    signal?.throwIfAborted();
    this.#sent += 1;
    const inbox = `${this.#inbox}.${this.#sent}`;
    let timer: NodeJS.Timeout | undefined;
    const abort = (): void => {
      this.close();
    };
    signal?.addEventListener("abort", abort);
    try {
      return await new Promise<string>((resolve, reject) => {
        this.#pending.set(inbox, { subject, resolve, reject });
        timer = setTimeout(
          () => {
            reject(noAnswerInTime(subject, timeoutMs));
          },
          Math.min(timeoutMs, MAX_TIMER_MS),
        );
        this.#write(`PUB ${subject} ${inbox} ${Buffer.byteLength(text)}`, text);
      });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#pending.delete(inbox);
    }
  }

  #receive({ verb, rest, text, status }: Frame): void {
    switch (verb) {
      case "INFO":
        // The server repeats it when its cluster changes.
        if (this.#info === null) void this.#logIn(JSON.parse(rest) as ServerInfo);
        return;
      case "PING":
        this.#write("PONG");
        return;
      case "PONG":
        this.#endLogin(null);
        return;
      case "MSG":
      case "HMSG":
        this.#answer(rest.split(" ", 1)[0] ?? "", text, status);
        return;
      case "-ERR":
        this.#endLogin("unsuitable");
        this.#refuse(rest);
    }
  }

  /** Never rejects. */
  async #logIn(info: ServerInfo): Promise<void> {
    this.#info = info;
    const login = await plainLogin(this.#options, info);
    if (login === null) {
      this.#endLogin("unsuitable");
      return;
    }
    const { name } = this.#options;
    const wishes = { verbose: false, pedantic: false, headers: true, no_responders: true };
    const connect = JSON.stringify({ ...wishes, protocol: 1, lang: "node", name, ...login });
    // The answer to the PING comes after an error about the lines before it.
    this.#write(`CONNECT ${connect}`, `SUB ${this.#inbox}.* 1`, "PING");
  }

  #answer(inbox: string, text: string, status: string): void {
    const pending = this.#pending.get(inbox);
    if (pending === undefined) return;
    if (status === "503" && text === "") pending.reject(nobodyAnswers(pending.subject));
    else pending.resolve(text);
  }

  /** The server names the subject that it does not permit. After any other error, it closes the connection. */
  #refuse(problem: string): void {
    const [, subject] = /Permissions Violation for Publish to "(.*)"/.exec(problem) ?? [];
    for (const pending of this.#pending.values()) {
      if (pending.subject === subject) pending.reject(requestNotPermitted(subject));
    }
  }

  #write(...lines: readonly string[]): void {
    this.#socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }
}
