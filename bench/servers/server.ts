/** Starts a peer's server in a folder of its own, and tells when it answers or why it does not. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { GuardedFolder } from "./guarded-folder.ts";

export const HOST = "127.0.0.1";
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

/** Does not outlive this process, however that ends. */
export interface PeerServer extends AsyncDisposable {
  readonly url: string;
  /** PostgreSQL's has children, which do the work. */
  readonly pid: number;
}

export interface ServerOptions {
  readonly binary: string;
  /** Whether every write is on the disk before it is acknowledged. */
  readonly fsync: boolean;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerCommand {
  readonly binary: string;
  readonly args: readonly string[];
  readonly url: string;
  /** Default: who runs this. */
  readonly user?: User | null;
  /** Called again and again; it may throw as long as nobody listens. */
  readonly isAnswering: () => Promise<boolean>;
}

/** Takes the folder over, also when it fails. */
export async function startServer(
  folder: GuardedFolder,
  { binary, args, url, user = null, isAnswering }: ServerCommand,
): Promise<PeerServer> {
  const logFile = join(folder.path, "log");
  const log = openSync(logFile, "w");
  const child = spawn(binary, args, {
    cwd: folder.path,
    stdio: ["ignore", log, log],
    // Ctrl-C is for who has started it: the guard ends it.
    detached: true,
    ...user,
  });
  closeSync(log);
  try {
    await once(child, "spawn");
    const { pid = 0 } = child;
    folder.setTenant(pid);
    child.once("exit", () => {
      folder.setTenant(null);
    });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await isAnswering().catch(() => false))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        const last = (await readFile(logFile, "utf8")).trim().split("\n").slice(-5).join("\n  ");
        throw new Error(`${binary} did not start:\n  ${last}`);
      }
      await delay(POLL_MS);
    }
    return { url, pid, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

export function findOnPath(name: string): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
