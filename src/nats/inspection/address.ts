/** Looks at the address of a server from outside: its name, its port, and what answers there. */
import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { readReply, serverGreeting, type ServerGreeting } from "../../protocol/nats-replies.ts";

export interface AddressFacts {
  /** `host:port`. */
  readonly address: string;
  readonly answer: AddressAnswer;
}

export type AddressAnswer =
  | { readonly kind: "nats"; readonly greeting: ServerGreeting }
  /** The host name has no address. */
  | { readonly kind: "no_host"; readonly problem: string }
  /** Nothing listens on the port. */
  | { readonly kind: "refused" }
  /** The connection could not be made. */
  | { readonly kind: "unreachable"; readonly problem: string }
  | { readonly kind: "http" }
  /** Something else that speaks first, such as a mail server. */
  | { readonly kind: "other"; readonly firstLine: string }
  /** The connection was made, but nothing came. */
  | { readonly kind: "silent" };

const CONNECT_MS = 3_000;
/** A server sends its INFO at once. */
const GREETING_MS = 1_500;
const MAX_GREETING_BYTES = 64 * 1024;

/** Never rejects. */
export async function inspectAddress(host: string, port: number): Promise<AddressFacts> {
  return {
    address: `${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
    answer: await answerOf(host, port),
  };
}

async function answerOf(host: string, port: number): Promise<AddressAnswer> {
  try {
    await lookup(host);
  } catch (error) {
    return { kind: "no_host", problem: messageOf(error) };
  }
  try {
    const text = await exchange(host, port, "");
    const info = /^INFO (\{.*\})\s*$/m.exec(text)?.[1];
    const greeting = info === undefined ? null : readReply(serverGreeting, info);
    if (greeting !== null) return { kind: "nats", greeting };
    if (text.startsWith("HTTP/")) return { kind: "http" };
    if (text !== "") return { kind: "other", firstLine: firstLineOf(text) };
    // The monitoring and the WebSocket port of NATS wait for a request.
    const reply = await exchange(host, port, "GET / HTTP/1.1\r\nHost: nats\r\n\r\n");
    return { kind: reply.startsWith("HTTP/") ? "http" : "silent" };
  } catch (error) {
    const isRefused = error instanceof Error && "code" in error && error.code === "ECONNREFUSED";
    return isRefused ? { kind: "refused" } : { kind: "unreachable", problem: messageOf(error) };
  }
}

/** The first line that comes back; `""` if none comes. @throws Error if there is no connection */
function exchange(host: string, port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket: Socket = connect({ host, port });
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
    };
    let timer = setTimeout(() => {
      end();
      reject(new Error(`no connection within ${CONNECT_MS / 1000} s`));
    }, CONNECT_MS);
    const done = (): void => {
      end();
      resolve(text);
    };
    socket.setEncoding("utf8");
    socket.once("connect", () => {
      clearTimeout(timer);
      timer = setTimeout(done, GREETING_MS);
      socket.write(request);
    });
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("\n") || text.length > MAX_GREETING_BYTES) done();
    });
    socket.once("end", done);
    socket.once("error", (error) => {
      end();
      reject(error);
    });
  });
}

function firstLineOf(text: string): string {
  const [line = ""] = text.split(/\r?\n/, 1);
  return line.replace(/[^\x20-\x7e]/g, "?").slice(0, 80);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
