/**
 * `dev`'s NATS server and its store folder: one `dev` per folder, and a server that outlived a
 * `dev` that was killed is stopped before the next one starts. Nothing in the data is touched.
 */
import { createHash } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type RestartableServer, startRestartable } from "./restartable-server.ts";
import { readServerInfo } from "./server-info.ts";
import {
  makeRunFolder,
  type NatsServerOptions,
  type NatsServerProcess,
  SERVER_HOST,
  startNatsServer,
} from "./server-process.ts";
import { listeningPort, recordedPid, removeRunFiles } from "./server-run-files.ts";
import { ownFolder } from "./store-owner.ts";

// All that a command needs to have a server of its own.
export { resolveServerBinary, ServerBinaryError } from "./server-binary.ts";
export {
  NatsServerError,
  type NatsServerProcess,
  PortTakenError,
  startNatsServer,
  type SystemUser,
} from "./server-process.ts";
export type { RestartableServer } from "./restartable-server.ts";
export { FolderInUseError } from "./store-owner.ts";

const ORPHAN_TIMEOUT_MS = 20_000;
const POLL_MS = 20;

export interface DevServerOptions extends Pick<
  NatsServerOptions,
  "binary" | "port" | "storeDir" | "config" | "systemUser"
> {
  /** Told, in a line, what the user may want to know. */
  readonly notify?: (line: string) => void;
}

/**
 * @throws FolderInUseError if another `dev` runs on the folder
 * @throws NatsServerError
 */
export async function startDevServer(options: DevServerOptions): Promise<RestartableServer> {
  const run = await makeRunFolder(options.storeDir);
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

/** Tells a server of this folder from any other. */
async function nameFor(storeDir: string): Promise<string> {
  const digest = createHash("sha256")
    .update(await realpath(storeDir))
    .digest("hex");
  return `if-coordinator-dev-${digest.slice(0, 12)}`;
}

/** Stops the server that the last `dev` on the folder left running, if it did. */
async function stopOrphan(
  run: string,
  serverName: string,
  notify?: (line: string) => void,
): Promise<void> {
  const pid = await recordedPid(run);
  if (pid === undefined || !(await isRunning(pid))) return;
  const port = await listeningPort(run, pid);
  const info = port === undefined ? undefined : await readServerInfo(SERVER_HOST, port);
  // The process id may belong to another program by now.
  if (info?.serverName !== serverName) return;
  notify?.(`the NATS server of a dev that was killed still runs (process ${pid}): restarting it`);
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + ORPHAN_TIMEOUT_MS;
  while (await isRunning(pid)) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
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
    // In a container without an init process, one that has ended stays as a zombie (state Z).
    return !/^\d+ \(.*\) Z/s.test(await readFile(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
