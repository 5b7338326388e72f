/**
 * Answers the hooks of an agent while it holds claims, at a socket in a folder that is the user's own. The MCP
 * server is connected already. A hook would need longer to load a NATS client than to ask with it.
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { CheckedClaim, Question } from "../hook/questions.ts";
import { agentFolders, inAgentFolder, namesIn, removeIfEmpty } from "./agent-folder.ts";
import { isLive } from "./processes.ts";

/** Answers a question. If it rejects, the hook asks in another way. */
export type Answer = (question: Question) => Promise<readonly CheckedClaim[]>;

/** Some systems allow 104 bytes, with a zero at the end. */
const MAX_PATH_BYTES = 103;
const MAX_CONNECTIONS = 16;
const MAX_QUESTION_LENGTH = 1_000_000;
const IDLE_MS = 2_000;

let listeners = 0;

export class HookListener {
  readonly #answer: Answer;
  #open: { readonly server: Server; readonly path: string } | null = null;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  /** The path of the socket. `undefined`: there can be none, so hooks have to ask the coordinator. */
  listen(): string | undefined {
    // On Windows, a pipe is not in a folder, and is not the user's own.
    if (process.platform === "win32") return undefined;
    this.#open ??= inAgentFolder("sockets", (folder) => this.#openIn(folder));
    return this.#open?.path;
  }

  /** Removes the socket. */
  close(): void {
    if (this.#open === null) return;
    const { server, path } = this.#open;
    this.#open = null;
    server.close();
    removeIfEmpty(path);
  }

  #openIn(folder: string) {
    const path = join(folder, `${process.pid}-${++listeners}`);
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) return null;
    // A killed process can have had the same id.
    rmSync(path, { force: true });
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#receive(socket);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on("error", () => {
      // Such as a folder that another process has removed. Until the next try, hooks find nobody here.
      if (this.#open?.server === server) this.close();
    });
    server.listen(path).unref();
    return { server, path };
  }

  #receive(socket: Socket): void {
    let text = "";
    socket.setEncoding("utf8").setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("data", (part: string) => {
      text += part;
      if (text.length > MAX_QUESTION_LENGTH) socket.destroy();
    });
    socket.on("end", () => {
      void this.#reply(socket, text);
    });
    socket.on("error", () => undefined);
  }

  /** Never rejects. */
  async #reply(socket: Socket, text: string): Promise<void> {
    try {
      socket.end(JSON.stringify(await this.#answer(JSON.parse(text) as Question)));
    } catch {
      socket.destroy();
    }
  }
}

/** Removes the sockets of servers that were killed. */
export function removeAbandonedSockets(): void {
  for (const folder of agentFolders("sockets")) {
    for (const name of namesIn(folder)) {
      const path = join(folder, name);
      if (!isLive(Number.parseInt(name, 10))) rmSync(path, { force: true });
      removeIfEmpty(path);
    }
  }
}
