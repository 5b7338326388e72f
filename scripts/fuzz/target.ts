/** The coordinator that is fuzzed: a NATS server, and workers that are processes of their own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Authenticator, connect, type NatsConnection } from "@nats-io/transport-node";
import { Cleanup, startWithCleanup } from "../../src/cleanup.ts";
import { loadConfig } from "../../src/config.ts";
import { startNatsServer } from "../../src/nats-server/dev-server.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { UNKNOWN_OPERATIONS_GROUP } from "../../src/nats/unknown-operations.ts";
import { makeAccounts, readAuthenticator } from "../lab/accounts.ts";
import { Child } from "../lab/child.ts";
import { takePort } from "../lab/ports.ts";
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
  /** Another connection, if that one cannot read the buckets. */
  readonly buckets?: NatsConnection;
  /** Of the sender of the messages. Default: none. */
  readonly login?: Authenticator;
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
  readonly buckets: NatsConnection;
  readonly login: Authenticator | undefined;
  readonly children: readonly Worker[];
  readonly cleanup: Cleanup;
}

export class ProcessTarget implements Target {
  readonly port: number;
  readonly workers: number;
  readonly connection: NatsConnection;
  readonly buckets: NatsConnection;
  readonly login?: Authenticator;
  readonly #parts: Parts;
  readonly #deaths: string[] = [];

  private constructor(parts: Parts) {
    this.port = parts.port;
    this.workers = parts.children.length;
    this.connection = parts.connection;
    this.buckets = parts.buckets;
    if (parts.login !== undefined) this.login = parts.login;
    this.#parts = parts;
    for (const child of parts.children) {
      void child.ended.then((how) => this.#deaths.push(`a worker died (${how})`));
    }
  }

  /**
   * Resolves when the tasks of `world.ts` are there.
   *
   * @param isSecured whether there are accounts, and the sender has that of an agent
   */
  static async start(workers: number, isSecured = false): Promise<ProcessTarget> {
    return await startWithCleanup(async (cleanup) => {
      const folder = await mkdtemp(join(tmpdir(), "if-coordinator-fuzz-"));
      cleanup.defer(() => rm(folder, { recursive: true, force: true }));
      const accounts = isSecured ? await makeAccounts(join(folder, "auth")) : null;
      const monitoring = await takePort();
      const access = accounts?.serverConfig ?? "jetstream: enabled";
      const config = `${access}\nhttp: "127.0.0.1:${monitoring}"`;
      const binary = await resolveServerBinary(loadConfig().dev);
      const storeDir = join(folder, "server");
      const server = await startNatsServer({ binary, storeDir, port: 0, config });
      cleanup.defer(() => server.stop());
      const open = async (credsFile: string | undefined): Promise<NatsConnection> => {
        const authenticator =
          credsFile === undefined ? undefined : await readAuthenticator(credsFile);
        const login = authenticator === undefined ? {} : { authenticator };
        const connection = await connect({
          servers: server.url,
          maxReconnectAttempts: 0,
          ...login,
        });
        cleanup.defer(() => connection.close());
        return connection;
      };
      const connection = await open(accounts?.operatorCreds);
      const buckets = accounts === null ? connection : await open(accounts.workerCreds);
      const login = accounts === null ? undefined : await readAuthenticator(accounts.hostileCreds);
      const settings = JSON.stringify(accounts?.settings ?? {});
      const children = await Promise.all(
        Array.from({ length: workers }, async (): Promise<Worker> => {
          const options = { execArgv: ["--expose-gc"], timeoutMs: TIMEOUT_MS };
          return cleanup.use(await Child.start(WORKER, [server.url, settings], options));
        }),
      );
      await makeWorld(connection, buckets);
      const { port } = server;
      const parts = { port, monitoring, connection, buckets, login, children, cleanup };
      return new ProcessTarget(parts);
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
