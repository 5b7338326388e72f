/** Finds out whether a NATS server listens on a port: a NATS server sends its INFO line first. */
import { connect, createServer } from "node:net";

/** The part of the INFO line that is used here. */
export interface ServerInfo {
  readonly serverName: string;
  readonly version: string;
  readonly jetstream: boolean;
}

const ANSWER_TIMEOUT_MS = 1_000;

/** `undefined`: nothing listens on the port, or it is not a NATS server. */
export async function readServerInfo(host: string, port: number): Promise<ServerInfo | undefined> {
  const greeting = await readGreeting(host, port);
  const line = /^INFO (\{.*\})\s*$/m.exec(greeting ?? "")?.[1];
  if (line === undefined) return undefined;
  const info = JSON.parse(line) as { server_name: string; version: string; jetstream?: boolean };
  return {
    serverName: info.server_name,
    version: info.version,
    jetstream: info.jetstream === true,
  };
}

/** The first line that the other side sends; `""` if it sends none, `undefined` if nothing listens. */
export function readGreeting(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, timeout: ANSWER_TIMEOUT_MS });
    const done = (greeting: string | undefined): void => {
      socket.destroy();
      resolve(greeting);
    };
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (text.includes("\n")) done(text);
    });
    socket.on("timeout", () => {
      done(text);
    });
    socket.on("end", () => {
      done(text);
    });
    socket.on("error", () => {
      done(undefined);
    });
  });
}

/** Whether a server could listen on the port now. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
