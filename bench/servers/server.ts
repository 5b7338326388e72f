/** Starts the server of a peer in a folder of its own. Says why if it does not start. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { GuardedFolder } from "./guarded-folder.ts";

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

/** A server that ends with this process, even if this process is killed. */
export interface PeerServer extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

export interface ServerKind {
  /** Returns `null` if it is not installed. */
  readonly findBinary: () => string | null;
  /** The command that installs it. */
  readonly install: string;
  /** @param options.fsync whether every write is on the disk before it is acknowledged */
  readonly start: (options: {
    readonly binary: string;
    readonly fsync: boolean;
  }) => Promise<PeerServer>;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerCommand {
  readonly binary: string;
  readonly args: readonly string[];
  readonly url: string;
  /** Default: the user of this process. */
  readonly user?: User | null;
  /** Called until it returns true. It may throw while the server does not listen. */
  readonly isAnswering: () => Promise<boolean>;
}

/** @param prepare fills the folder, and returns the command that starts the server in it */
export async function startServer(
  name: string,
  prepare: (folder: GuardedFolder) => ServerCommand | Promise<ServerCommand>,
): Promise<PeerServer> {
  const folder = await GuardedFolder.create(name);
  try {
    const command = await prepare(folder);
    const pid = await startIn(folder, command);
    return { url: command.url, pid, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

async function startIn(
  folder: GuardedFolder,
  { binary, args, user = null, isAnswering }: ServerCommand,
): Promise<number> {
  const logFile = join(folder.path, "log");
  const log = openSync(logFile, "w");
  const child = spawn(binary, args, {
    cwd: folder.path,
    stdio: ["ignore", log, log],
    // Ctrl-C must not reach it: the guard ends it.
    detached: true,
    ...user,
  });
  closeSync(log);
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
  return pid;
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
