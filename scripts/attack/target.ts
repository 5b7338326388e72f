/** The coordinator under attack: a NATS server, and a worker that is a process of its own. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Cleanup, startWithCleanup } from "../../src/cleanup.ts";
import { startNatsServer } from "../../src/nats-server/dev-server.ts";
import { HOST, takePort } from "../lab/ports.ts";
import { Member } from "../lab/member.ts";
import { readProcess } from "../lab/process-figures.ts";
import type { Login } from "./asker.ts";
import type { Build } from "./build.ts";
import type { Mode, SetUp } from "./set-up.ts";

export type Settings = Readonly<Record<string, string | number>>;

export interface TargetOptions {
  readonly build: Build;
  readonly setUp: SetUp;
  readonly binary: string;
  /** For data and logs. The target creates it. */
  readonly folder: string;
  /** Of the worker. Those that its build does not know are left out. */
  readonly settings: Settings;
}

const START_TIMEOUT_MS = 60_000;
const READY_TIMEOUT_MS = 5_000;
const POLL_MS = 50;
/** A worker that needs more dies, as in a container of a common size. */
const HEAP_MIB = 1_024;

interface Parts {
  readonly url: string;
  readonly serverPid: number;
  readonly worker: Member;
  readonly logFile: string;
  readonly readyUrl: string;
  readonly setUp: SetUp;
  readonly cleanup: Cleanup;
}

export class Target implements AsyncDisposable {
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when the worker is ready. */
  static async start(options: TargetOptions): Promise<Target> {
    const { build, setUp, binary, folder, settings } = options;
    return await startWithCleanup(async (cleanup) => {
      mkdirSync(folder, { recursive: true });
      const { serverConfig } = setUp;
      const storeDir = join(folder, "server");
      const server = await startNatsServer({ binary, storeDir, port: 0, config: serverConfig });
      cleanup.defer(() => server.stop());
      const port = await takePort();
      const logFile = join(folder, "worker.log");
      const worker = new Member({
        name: "worker",
        command: [...build.command, "serve"],
        logFile,
        env: {
          NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
          ...build.environment({
            "nats.servers": server.url,
            "metrics.port": port,
            "metrics.host": HOST,
            "log.format": "json",
            ...setUp.settings,
            ...settings,
          }),
        },
      });
      cleanup.defer(() => worker.retire());
      const readyUrl = `http://${HOST}:${port}/readyz`;
      const { url, pid: serverPid } = server;
      const parts = { url, serverPid, worker, logFile, readyUrl, setUp, cleanup };
      const target = new Target(parts);
      await target.startWorker();
      return target;
    });
  }

  get mode(): Mode {
    return this.#parts.setUp.mode;
  }

  get url(): string {
    return this.#parts.url;
  }

  get serverPid(): number {
    return this.#parts.serverPid;
  }

  get workerPid(): number | undefined {
    return this.#parts.worker.pid;
  }

  /** How the worker has ended, each time, unless the run has ended it. */
  get deaths(): readonly string[] {
    return this.#parts.worker.endings.map(({ how }) => how);
  }

  get workerMiB(): number {
    const { pid } = this.#parts.worker;
    return pid === undefined ? 0 : (readProcess(pid)?.residentMiB ?? 0);
  }

  get logFile(): string {
    return this.#parts.logFile;
  }

  get logBytes(): number {
    return statSync(this.#parts.logFile).size;
  }

  login(name: string): Login {
    return { url: this.#parts.url, credsFile: this.#parts.setUp.credsFile(name) };
  }

  async isReady(timeoutMs = READY_TIMEOUT_MS): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      return (await fetch(this.#parts.readyUrl, { signal })).ok;
    } catch {
      return false;
    }
  }

  /** Milliseconds until the worker was ready. @throws Error if it is not within a minute */
  async startWorker(): Promise<number> {
    const began = performance.now();
    this.#parts.worker.start();
    while (!(await this.isReady(1_000))) {
      if (performance.now() - began > START_TIMEOUT_MS) {
        throw new Error(`the worker is not ready: it ${this.#parts.worker.describe()}`);
      }
      await delay(POLL_MS);
    }
    return performance.now() - began;
  }

  /** Like a crash. */
  async killWorker(): Promise<void> {
    await this.#parts.worker.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.cleanup[Symbol.asyncDispose]();
  }
}
