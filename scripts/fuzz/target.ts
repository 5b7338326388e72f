/** The coordinator that is fuzzed: a NATS server, and workers that are processes of their own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Cleanup, startWithCleanup } from "../../src/cleanup.ts";
import { loadConfig } from "../../src/config.ts";
import { startNatsServer } from "../../src/nats-server/dev-server.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { UNKNOWN_OPERATIONS_GROUP } from "../../src/nats/unknown-operations.ts";
import { Child } from "../lab/child.ts";
import { freePort } from "../lab/free-port.ts";
import type { FactCounts, Level } from "./facts.ts";
import type { WorkerMethods } from "./worker.ts";
import { makeWorld } from "./world.ts";

type Worker = Child<WorkerMethods>;

const WORKER = fileURLToPath(new URL("worker.js", import.meta.url));
const TIMEOUT_MS = 30_000;

/** What a run needs of the coordinator that it fuzzes. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly workers: number;
  /** The connection of the run itself, for its proper requests. */
  readonly connection: NatsConnection;
  facts(): Promise<FactCounts>;
  level(): Promise<Level>;
}

/** The reply of the monitoring of the NATS server. */
interface Connections {
  readonly connections: readonly {
    readonly name?: string;
    readonly subscriptions_list_detail: readonly { readonly qgroup?: string }[];
  }[];
}

interface Parts {
  readonly port: number;
  readonly monitoring: number;
  readonly connection: NatsConnection;
  readonly children: readonly Worker[];
  readonly cleanup: Cleanup;
}

export class ProcessTarget implements Target {
  readonly port: number;
  readonly workers: number;
  readonly connection: NatsConnection;
  readonly #parts: Parts;
  readonly #deaths: string[] = [];

  private constructor(parts: Parts) {
    this.port = parts.port;
    this.workers = parts.children.length;
    this.connection = parts.connection;
    this.#parts = parts;
    for (const child of parts.children) {
      void child.ended.then((how) => this.#deaths.push(`a worker died (${how})`));
    }
  }

  /** Resolves when the tasks of `world.ts` are there. */
  static async start(workers: number): Promise<ProcessTarget> {
    return await startWithCleanup(async (cleanup) => {
      const folder = await mkdtemp(join(tmpdir(), "if-coordinator-fuzz-"));
      cleanup.defer(() => rm(folder, { recursive: true, force: true }));
      const monitoring = await freePort();
      const config = `jetstream: enabled\nhttp: "127.0.0.1:${monitoring}"`;
      const binary = await resolveServerBinary(loadConfig().dev);
      const server = await startNatsServer({ binary, storeDir: folder, port: 0, config });
      cleanup.defer(() => server.stop());
      const connection = await connect({ servers: server.url, maxReconnectAttempts: 0 });
      cleanup.defer(() => connection.close());
      const children = await Promise.all(
        Array.from({ length: workers }, async (): Promise<Worker> => {
          const options = { execArgv: ["--expose-gc"], timeoutMs: TIMEOUT_MS };
          return cleanup.use(await Child.start(WORKER, [server.url], options));
        }),
      );
      await makeWorld(connection);
      return new ProcessTarget({ port: server.port, monitoring, connection, children, cleanup });
    });
  }

  /** The processes of the workers that run. */
  get pids(): readonly number[] {
    return this.#running.map(({ pid }) => pid);
  }

  async facts(): Promise<FactCounts> {
    const counts = await this.#askAll((child) => child.ask("facts"));
    return {
      requests: counts.reduce((sum, { requests }) => sum + requests, 0),
      dropped: counts.reduce((sum, { dropped }) => sum + dropped, 0),
      alarms: [...counts.flatMap(({ alarms }) => alarms), ...this.#deaths],
    };
  }

  async level(): Promise<Level> {
    const heaps = await this.#askAll((child) => child.ask("heap"));
    const url = `http://127.0.0.1:${this.#parts.monitoring}/connz?limit=1000&subs=detail`;
    const { connections } = (await (await fetch(url)).json()) as Connections;
    const subscriptions = connections
      .filter(({ name }) => name?.startsWith("if-coordinator ") === true)
      // The subscriptions for unknown operations end under load, and begin again after a pause.
      .map(({ subscriptions_list_detail: all }) => {
        return all.filter(({ qgroup }) => qgroup !== UNKNOWN_OPERATIONS_GROUP).length;
      })
      .sort();
    return { heaps, subscriptions };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.cleanup[Symbol.asyncDispose]();
  }

  get #running(): Worker[] {
    return this.#parts.children.filter(({ isRunning }) => isRunning);
  }

  /** The answers of the workers, without those that do not answer. */
  async #askAll<T>(ask: (child: Worker) => Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(this.#running.map(ask));
    return answers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }
}
