/** Asks whatever listens on a port whether it is a NATS server: such a one introduces itself. */
import { connect, createServer } from "node:net";

/** What we use of the INFO line that a NATS server greets with. */
export interface ServerInfo {
  readonly serverName: string;
  readonly version: string;
  readonly jetstream: boolean;
}

const ANSWER_TIMEOUT_MS = 1_000;

/** `undefined`: nothing listens there, or it is no NATS server. */
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

/** The first line that is sent on connecting; `""` if none comes, `undefined` if nothing listens. */
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

/** Whether a server could listen there now. */
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
