/** Starts a nats-server as a child process, waits until it is ready, and stops it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { serverEnvironment } from "../config/child-environment.ts";
import { makeRunFolder } from "./run-folder.ts";
import { NatsServerError, PortTakenError } from "./server-error.ts";
import { isPortFree, readServerInfo } from "./server-info.ts";
import { dataFolder, listeningPort, runFile } from "./server-run-files.ts";

export const SERVER_HOST = "127.0.0.1";
const DEFAULT_CONFIG = "jetstream: enabled";
/** The server reads its store before it is ready, which takes a while for many gigabytes. */
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 10;

export interface NatsServerOptions {
  /** Path, or name on PATH, of nats-server. */
  readonly binary: string;
  /** 0: any free port. */
  readonly port: number;
  /** Holds the data (`nats/`) and the files of the process (`run/`). Created if it is missing. */
  readonly storeDir: string;
  /** Configuration of nats-server. `store_dir` is overridden. Default: JetStream, nothing else. */
  readonly config?: string;
  /** Environment variables that the configuration refers to. Default: none. */
  readonly variables?: Readonly<Record<string, string>>;
  /** A user of the system account to add. Others connect as before. Default: none. */
  readonly systemUser?: SystemUser;
  /** Whether the server must have JetStream to be ready. Default: true. */
  readonly jetstream?: boolean;
  /** Default: chosen by the server. */
  readonly serverName?: string;
  /** Whether signals of the terminal, such as Ctrl-C, do not reach the server. Default: false. */
  readonly detached?: boolean;
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal;
}

export interface SystemUser {
  readonly username: string;
  readonly password: string;
}

export interface ExitStatus {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server. It ends with this process, unless this process is killed with SIGKILL. */
export interface NatsServerProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<ExitStatus>;
  /** Stops the server with SIGTERM. Resolves when the process has ended. */
  stop(): Promise<void>;
  /** Ends the server at once, as a crash would. */
  kill(): void;
}

/**
 * Resolves when the server accepts connections and has JetStream.
 * @throws NatsServerError
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServerProcess> {
  const run = makeRunFolder(options.storeDir);
  if (options.port !== 0) await requireFreePort(options.port);
  const configFile = runFile.config(run);
  // The file may contain a password.
  await replaceFile(configFile, effectiveConfig(options));
  const logFile = runFile.log(run);
  await replaceFile(logFile, "");
  const log = openSync(logFile, "a");
  const child = spawn(options.binary, commandLine(options, configFile, run), {
    // A file, because the server would die of a write to a pipe that nobody reads any longer.
    stdio: ["ignore", log, log],
    env: { ...serverEnvironment(), ...options.variables },
    detached: options.detached === true,
    windowsHide: true,
  });
  closeSync(log);
  const exited = exitOf(child);
  try {
    const port = await Promise.race([
      untilReady(child, run, options.jetstream !== false),
      untilAborted(options.signal),
      exited.then(async (status) => {
        throw await startFailure(options, status, logFile);
      }),
    ]);
    return control(child, exited, port);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** A new file, because an old one may have other rights, or other names. A link is not followed. */
async function replaceFile(path: string, text: string): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, text, { flag: "wx", mode: 0o600 });
}

/** If a key occurs twice, nats-server uses the last one. */
function effectiveConfig(options: NatsServerOptions): string {
  const { config = DEFAULT_CONFIG, storeDir, systemUser } = options;
  const data = resolve(dataFolder(storeDir)).replaceAll("\\", "/");
  const added = [`store_dir: ${JSON.stringify(data)}`];
  if (systemUser !== undefined) {
    const user = JSON.stringify(systemUser.username);
    const password = JSON.stringify(systemUser.password);
    // If only the system account has users, clients without a user connect to the default account.
    added.push(`accounts { $SYS { users: [ { user: ${user}, password: ${password} } ] } }`);
  }
  return [config, "", "# Added when the server was started", ...added, ""].join("\n");
}

function commandLine(options: NatsServerOptions, configFile: string, run: string): string[] {
  return [
    ...["--config", configFile, "--addr", SERVER_HOST],
    // nats-server takes 0 for "the default".
    ...["--port", String(options.port === 0 ? -1 : options.port)],
    ...["--pid", runFile.pid(run), "--ports_file_dir", run],
    ...(options.serverName === undefined ? [] : ["--server_name", options.serverName]),
  ];
}

async function requireFreePort(port: number): Promise<void> {
  if (await isPortFree(SERVER_HOST, port)) return;
  const info = await readServerInfo(SERVER_HOST, port);
  throw portTaken(port, info === undefined ? "" : ` by a NATS server (version ${info.version})`);
}

function portTaken(port: number, by: string): PortTakenError {
  return new PortTakenError(
    `port ${port} on ${SERVER_HOST} is taken${by}: choose another with --port, or stop what uses it`,
  );
}

async function exitOf(child: ChildProcess): Promise<ExitStatus> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return { code, signal };
  } catch {
    // The process could not be started at all.
    return { code: null, signal: null };
  }
}

async function startFailure(
  options: NatsServerOptions,
  { code, signal }: ExitStatus,
  logFile: string,
): Promise<NatsServerError> {
  const log = await readFile(logFile, "utf8");
  if (/address already in use|Only one usage of each socket/i.test(log)) {
    return portTaken(options.port, "");
  }
  const ended =
    code !== null ? `ended with code ${code}` : signal !== null ? `ended by ${signal}` : "not run";
  const last = log.trim().split("\n").slice(-5).join("\n  ");
  return new NatsServerError(
    `nats-server (${options.binary}) did not start: ${ended}${last === "" ? "" : `\n  ${last}`}`,
  );
}

function untilAborted(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = (): void => {
      reject(new NatsServerError("the start of nats-server was given up"));
    };
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}

/** @returns the port */
async function untilReady(child: ChildProcess, run: string, jetstream: boolean): Promise<number> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    const port = child.pid === undefined ? undefined : await listeningPort(run, child.pid);
    const info = port === undefined ? undefined : await readServerInfo(SERVER_HOST, port);
    if (port !== undefined && info !== undefined) {
      if (jetstream && !info.jetstream) {
        throw new NatsServerError(
          "nats-server runs without JetStream: enable it in nats-server.conf",
        );
      }
      return port;
    }
    await delay(POLL_MS);
  }
  if (performance.now() >= deadline) {
    throw new NatsServerError(`nats-server was not ready after ${START_TIMEOUT_MS / 1000} s`);
  }
  // The process has ended. `startFailure` says why.
  return new Promise<never>(() => undefined);
}

function control(
  child: ChildProcess,
  exited: Promise<ExitStatus>,
  port: number,
): NatsServerProcess {
  const pid = child.pid ?? 0;
  const stopWithUs = (): void => {
    child.kill("SIGTERM");
  };
  process.once("exit", stopWithUs);
  void exited.then(() => process.off("exit", stopWithUs));
  return {
    url: `nats://${SERVER_HOST}:${port}`,
    port,
    pid,
    exited,
    async stop() {
      child.kill("SIGTERM");
      const giveUp = new AbortController();
      const hard = delay(STOP_TIMEOUT_MS, undefined, { signal: giveUp.signal }).then(
        () => child.kill("SIGKILL"),
        () => undefined,
      );
      await exited;
      giveUp.abort();
      await hard;
    },
    kill() {
      child.kill("SIGKILL");
    },
  };
}
