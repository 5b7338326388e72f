/**
 * The NATS server of `dev` and its store folder. Only one `dev` can use a folder. If an earlier `dev` was
 * killed and its server still runs, that server is stopped first. The data stays as it is.
 */
import { createHash } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type RestartableServer, startRestartable } from "./restartable-server.ts";
import { readServerInfo } from "./server-info.ts";
import { makeRunFolder } from "./run-folder.ts";
import {
  type NatsServerOptions,
  type NatsServerProcess,
  SERVER_HOST,
  startNatsServer,
} from "./server-process.ts";
import { listeningPort, recordedPid, removeRunFiles } from "./server-run-files.ts";
import { ownFolder } from "./store-owner.ts";

// All that a command needs to run a server of its own.
export { resolveServerBinary, ServerBinaryError } from "./server-binary.ts";
export { NatsServerError, PortTakenError } from "./server-error.ts";
export {
  type NatsServerProcess,
  SERVER_HOST,
  startNatsServer,
  type SystemUser,
} from "./server-process.ts";
export type { RestartableServer } from "./restartable-server.ts";
export { FolderInUseError } from "./store-owner.ts";

const ORPHAN_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

export interface DevServerOptions extends Pick<
  NatsServerOptions,
  "binary" | "port" | "storeDir" | "config" | "systemUser" | "signal"
> {
  /** Receives a line for each thing that the user may want to know. */
  readonly notify?: (line: string) => void;
}

/**
 * @throws FolderInUseError if another `dev` uses the folder
 * @throws NatsServerError
 */
export async function startDevServer(options: DevServerOptions): Promise<RestartableServer> {
  const run = makeRunFolder(options.storeDir);
  const owner = await ownFolder(run, options.storeDir);
  try {
    const serverName = await nameFor(options.storeDir);
    await stopOrphan(run, serverName, options.notify);
    await removeRunFiles(run);
    const start = (port: number): Promise<NatsServerProcess> =>
      startNatsServer({ ...options, port, serverName, detached: true });
    return await startRestartable(start, options.port, () => owner.release());
  } catch (error) {
    await owner.release();
    throw error;
  }
}

/** A name that only servers on this folder have. */
async function nameFor(storeDir: string): Promise<string> {
  const digest = createHash("sha256")
    .update(await realpath(storeDir))
    .digest("hex");
  return `if-coordinator-dev-${digest.slice(0, 12)}`;
}

/** Stops the server of an earlier `dev` on the folder if it still runs. */
async function stopOrphan(
  run: string,
  serverName: string,
  notify?: (line: string) => void,
): Promise<void> {
  const pid = await recordedPid(run);
  if (pid === undefined || !(await isRunning(pid))) return;
  const port = await listeningPort(run, pid);
  const info = port === undefined ? undefined : await readServerInfo(SERVER_HOST, port);
  // By now, the process id may belong to another program.
  if (info?.serverName !== serverName) return;
  notify?.(`the NATS server of an earlier dev is still running (process ${pid}): restarting it`);
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + ORPHAN_TIMEOUT_MS;
  while (await isRunning(pid)) {
    if (performance.now() > deadline) process.kill(pid, "SIGKILL");
    await delay(POLL_MS);
  }
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== "linux") return true;
  try {
    // In a container without an init process, a process that has ended stays as a zombie (state Z).
    return !/^\d+ \(.*\) Z/s.test(await readFile(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
