/** The coordinator that is fuzzed: a NATS server, and workers that are processes of their own. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { loadConfig } from "../../src/config.ts";
import { type NatsServerProcess, startNatsServer } from "../../src/nats-server/dev-server.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { UNKNOWN_OPERATIONS_GROUP } from "../../src/nats/unknown-operations.ts";
import { type FactCounts, sumOf } from "./facts.ts";
import type { WorkerReport } from "./worker.ts";
import { makeWorld } from "./world.ts";

const WORKER = fileURLToPath(new URL("worker.js", import.meta.url));
const PATIENCE_MS = 30_000;

/** What the server says of its connections. */
interface Connections {
  readonly connections: readonly {
    readonly name?: string;
    readonly subscriptions_list_detail: readonly { readonly qgroup?: string }[];
  }[];
}

export interface Level {
  /** Bytes of each worker. */
  readonly heaps: readonly number[];
  /** Of each worker's connection, as the NATS server counts them. */
  readonly subscriptions: readonly number[];
}

/** What a run needs to know of the coordinator that it fuzzes. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly workers: number;
  /** Of the run itself, for what it does properly. */
  readonly connection: NatsConnection;
  facts(): Promise<FactCounts>;
  level(): Promise<Level>;
}

export class ProcessTarget implements Target {
  readonly port: number;
  readonly workers: number;
  readonly connection: NatsConnection;
  readonly #server: NatsServerProcess;
  readonly #folder: string;
  readonly #monitoring: number;
  readonly #children: readonly ChildProcess[];
  readonly #deaths: string[] = [];
  #ending = false;

  private constructor(
    server: NatsServerProcess,
    folder: string,
    monitoring: number,
    connection: NatsConnection,
    children: readonly ChildProcess[],
  ) {
    this.port = server.port;
    this.workers = children.length;
    this.connection = connection;
    this.#server = server;
    this.#folder = folder;
    this.#monitoring = monitoring;
    this.#children = children;
    for (const child of children) {
      child.once("exit", (code, signal) => {
        if (!this.#ending) this.#deaths.push(`a worker died (${code ?? signal ?? "?"})`);
      });
    }
  }

  /** Resolves when the tasks of `world.ts` are there. */
  static async start(workers: number): Promise<ProcessTarget> {
    const folder = await mkdtemp(join(tmpdir(), "if-coordinator-fuzz-"));
    const monitoring = await freePort();
    const config = `jetstream: enabled\nhttp: "127.0.0.1:${monitoring}"`;
    const binary = await resolveServerBinary(loadConfig().dev);
    const server = await startNatsServer({ binary, storeDir: folder, port: 0, config });
    const connection = await connect({ servers: server.url, maxReconnectAttempts: 0 });
    const children = Array.from({ length: workers }, () =>
      fork(WORKER, [server.url], { execArgv: ["--expose-gc"] }),
    );
    const target = new ProcessTarget(server, folder, monitoring, connection, children);
    try {
      await Promise.all(children.map((child) => answerOf(child)));
      await makeWorld(connection);
      return target;
    } catch (error) {
      await target[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Of the workers that are alive. */
  get pids(): readonly number[] {
    const alive = this.#children.filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    return alive.flatMap(({ pid }) => pid ?? []);
  }

  async facts(): Promise<FactCounts> {
    const reports = await this.#ask("report");
    const { alarms, ...counts } = sumOf(reports.map((report) => report.counts));
    return { ...counts, alarms: [...alarms, ...this.#deaths] };
  }

  async level(): Promise<Level> {
    const heaps = (await this.#ask("measure")).map(({ heap }) => heap);
    const url = `http://127.0.0.1:${this.#monitoring}/connz?limit=1000&subs=detail`;
    const { connections } = (await (await fetch(url)).json()) as Connections;
    const subscriptions = connections
      .filter(({ name }) => name?.startsWith("if-coordinator ") === true)
      // Those for operations that do not exist end under load, and begin again after a pause.
      .map(({ subscriptions_list_detail: all }) => {
        return all.filter(({ qgroup }) => qgroup !== UNKNOWN_OPERATIONS_GROUP).length;
      })
      .sort();
    return { heaps, subscriptions };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#children.map(end));
    await this.connection.close();
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** What those answer that are still there. */
  async #ask(question: "report" | "measure"): Promise<WorkerReport[]> {
    const alive = this.#children.filter((child) => child.connected);
    const reports = alive.map(async (child) => {
      const answered = answerOf(child);
      child.send(question);
      return (await answered) as WorkerReport;
    });
    const settled = await Promise.allSettled(reports);
    return settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  }
}

/** What a worker says next. Rejects if it ends instead. */
async function answerOf(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const died = once(child, "exit", { signal }).then(() => {
    throw new Error("a worker ended before it answered");
  });
  died.catch(() => undefined);
  try {
    const [answer] = (await Promise.race([once(child, "message", { signal }), died])) as [unknown];
    return answer;
  } finally {
    over.abort();
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  const hard = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  if (child.connected) child.send("stop");
  else child.kill("SIGKILL");
  await gone;
  clearTimeout(hard);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
