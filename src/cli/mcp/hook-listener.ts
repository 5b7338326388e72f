/**
 * Answers the hooks of an agent while it holds claims, at a socket in a folder that is the user's own. The MCP
 * server is connected already. A hook would need longer to load a NATS client than to ask with it.
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { type CheckedClaim, isQuestion, type Question } from "../hook/questions.ts";
import { agentFolders, inAgentFolder, namesIn, removeIfEmpty } from "./agent-folder.ts";
import { isLive } from "./processes.ts";

/** Answers a question. If it rejects, the hook asks in another way. */
export type Answer = (question: Question) => Promise<readonly CheckedClaim[]>;

/** Some systems allow 104 bytes, with a zero at the end. */
const MAX_PATH_BYTES = 103;
const MAX_CONNECTIONS = 16;
const MAX_QUESTION_LENGTH = 1_000_000;
const IDLE_MS = 2_000;
const RANDOM_LENGTH = 8;

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
    try {
      this.#open ??= inAgentFolder("sockets", (folder) => this.#openIn(folder));
    } catch {
      // The folder cannot be made.
      return undefined;
    }
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
    // A name is never used again: claims files of killed servers still have it.
    const path = join(folder, `${process.pid}-${crypto.randomUUID().slice(0, RANDOM_LENGTH)}`);
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) return null;
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
      const question: unknown = JSON.parse(text);
      if (!isQuestion(question)) throw new Error("this is not a question");
      socket.end(JSON.stringify(await this.#answer(question)));
    } catch {
      socket.destroy();
    }
  }
}

/** Removes the sockets of servers that were killed. Never throws: what is left harms nobody. */
export function removeAbandonedSockets(): void {
  for (const folder of agentFolders("sockets")) {
    for (const path of namesIn(folder)
      .filter(isAbandoned)
      .map((name) => join(folder, name))) {
      try {
        rmSync(path, { force: true });
        removeIfEmpty(path);
      } catch {
        // The next server tries again.
      }
    }
  }
}

function isAbandoned(name: string): boolean {
  return !isLive(Number.parseInt(name, 10));
}
