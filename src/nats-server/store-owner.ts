/**
 * Makes a process the only owner of a folder until the process ends, for any reason.
 *
 * The owner listens on a port, and writes the port and a secret word into a file in the folder. A process
 * that finds the file asks the port for the word. If there is no answer or a wrong one, the owner is gone.
 * A process id alone is not enough, because the system gives it to another process later.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { link, rename, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { createPrivateFile, readIfThere } from "../private-files.ts";
import { readGreeting } from "./server-info.ts";

const HOST = "127.0.0.1";
const ATTEMPTS = 5;

export interface Ownership {
  /** Ends the ownership. */
  release(): Promise<void>;
}

/** Another process owns the folder. */
export class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

interface OwnerRecord {
  readonly pid: number;
  readonly port: number;
  readonly word: string;
}

/**
 * @param shownFolder what the user calls the folder
 * @throws FolderInUseError
 */
export async function ownFolder(folder: string, shownFolder: string): Promise<Ownership> {
  const word = randomUUID();
  const server = await listen(word);
  const { port } = server.address() as AddressInfo;
  const file = join(folder, "owner.json");
  try {
    const record = { pid: process.pid, port, word } satisfies OwnerRecord;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (createPrivateFile(file, JSON.stringify(record), false)) return ownership(file, server);
      await removeIfStale(file, `${file}.${word}.stale`, shownFolder);
    }
    throw inUse(shownFolder, "");
  } catch (error) {
    server.close();
    throw error;
  }
}

async function listen(word: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {
      socket.destroy();
    });
    socket.end(`${word}\n`);
  });
  server.listen(0, HOST);
  await once(server, "listening");
  server.unref();
  return server;
}

function ownership(file: string, server: Server): Ownership {
  return {
    async release() {
      if (!server.listening) return;
      await rm(file, { force: true });
      server.close();
    },
  };
}

async function removeIfStale(file: string, aside: string, shownFolder: string): Promise<void> {
  const content = readIfThere(file);
  if (content === null) return;
  const owner = parse(content);
  if (owner !== undefined && (await isAlive(owner))) {
    throw inUse(shownFolder, ` (process ${owner.pid})`);
  }
  if (!(await succeeds(rename(file, aside), "ENOENT"))) return;
  // Another process may have removed the stale file first. Then the file is the one of a new owner.
  if (readIfThere(aside) !== content) await succeeds(link(aside, file), "EEXIST");
  await rm(aside, { force: true });
}

function inUse(shownFolder: string, who: string): FolderInUseError {
  return new FolderInUseError(
    `another if-coordinator dev${who} uses the folder ${shownFolder}: ` +
      "stop it, or choose another folder with --store-dir",
  );
}

async function isAlive({ port, word }: OwnerRecord): Promise<boolean> {
  const answer = await readGreeting(HOST, port);
  // A suspended owner accepts the connection, but does not answer.
  return answer === "" || answer?.trim() === word;
}

function parse(content: string): OwnerRecord | undefined {
  try {
    return JSON.parse(content) as OwnerRecord;
  } catch {
    return undefined;
  }
}

/** `false` if the action fails with this code. */
async function succeeds(action: Promise<void>, code: string): Promise<boolean> {
  try {
    await action;
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === code) return false;
    throw error;
  }
}
