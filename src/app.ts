/** The composition root: wires the parts, starts them in order, and stops them in reverse. */
import type { Config } from "./config.ts";
import { type Connection, connectNats, listenToConnection } from "./nats/connection.ts";
import { listenForDisconnects } from "./nats/disconnect-events.ts";
import { Endpoints } from "./nats/endpoints.ts";
import { openStores, type OpenStores } from "./nats/open-stores.ts";
import type { Clock, Observe, ServiceSettings, Stoppable } from "./service/ports.ts";
import { type Stores, TaskService } from "./service/task-service.ts";
import { createLogger } from "./telemetry/logger.ts";
import { healthOf, HealthNotes, isBusHealthy, type WorkerHealth } from "./telemetry/health.ts";
import { type HttpEndpoint, startHttpEndpoint } from "./telemetry/http-endpoint.ts";
import { createMetrics, type MetricsSnapshot } from "./telemetry/metrics.ts";
import { VERSION } from "./version.ts";

/** The coordinator cannot start; the message says why and what to do. */
export class StartupError extends Error {
  override readonly name = "StartupError";
}

export interface App {
  /** Where metrics and health are served; `null` if that is switched off. */
  readonly httpUrl: string | null;
  readonly workerIds: readonly string[];
  /** Rejects, with the reason, if a worker ends by itself and cannot go on; else never settles. */
  readonly failed: Promise<never>;
  /** How each worker is. */
  health(): readonly WorkerHealth[];
  /** What the metrics are now. */
  metrics(): Promise<MetricsSnapshot>;
  /** Answers what is under way, then stops everything. Idempotent. */
  stop(): Promise<void>;
}

export interface AppOptions {
  /** Whether to write a log. Default: true. */
  readonly log?: boolean;
  /** Hears every fact besides the log and the metrics. */
  readonly observe?: Observe;
  /** Puts something between the service and its stores, as tests do that inject faults. */
  readonly wrapStores?: (stores: Stores) => Stores;
  /** Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * Connects, makes the buckets, starts `config.workers` workers and the HTTP endpoint.
 *
 * @throws StartupError
 */
export async function startApp(config: Config, options: AppOptions = {}): Promise<App> {
  const workers: Worker[] = [];
  const sinks: Observe[] = [];
  if (options.log !== false) {
    sinks.push(createLogger({ level: config.log.level, format: config.log.format }));
  }
  if (options.observe !== undefined) sinks.push(options.observe);
  const health = (): WorkerHealth[] => workers.map(workerHealth);
  const metrics = createMetrics({
    tasksByStatus: () => workers[0]?.service.tasks.counts() ?? {},
    busHealthy: () => isBusHealthy(health()),
    waitingRequests: () => workers.reduce((sum, { service }) => sum + service.waiting, 0),
    sessions: () => workers[0]?.service.sessions.size ?? 0,
  });
  sinks.push(metrics.observe);
  const observe: Observe = (fact) => {
    for (const sink of sinks) {
      try {
        sink(fact);
      } catch {
        // Who listens must not be able to break what it listens to.
      }
    }
  };

  let http: HttpEndpoint | null = null;
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    const stops = await Promise.allSettled(workers.map((worker) => worker.stop()));
    await http?.stop();
    for (const result of stops) if (result.status === "rejected") throw result.reason;
  };
  try {
    if (config.metrics.enabled) {
      const { host, port } = config.metrics;
      http = await startHttpEndpoint({ host, port, metrics, health: () => healthOf(health()) });
    }
    for (let i = 0; i < config.workers; i++) {
      workers.push(await startWorker(config, observe, options));
    }
  } catch (error) {
    await stop();
    throw new StartupError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  const failed = Promise.race(workers.map((worker) => worker.failed));
  // Whoever does not listen is not to be ended by it.
  failed.catch(() => undefined);
  return {
    httpUrl: http?.url ?? null,
    workerIds: workers.map(({ id }) => id),
    failed,
    health,
    metrics: () => metrics.snapshot(),
    stop: () => (stopped ??= stop()),
  };
}

/** One member of the queue group, on a connection of its own. */
interface Worker {
  readonly id: string;
  readonly service: TaskService;
  readonly failed: Promise<never>;
  readonly notes: HealthNotes;
  isConnected(): boolean;
  stop(): Promise<void>;
}

async function startWorker(
  config: Config,
  observe: Observe,
  { wrapStores = (stores) => stores, clock = SYSTEM_CLOCK }: AppOptions,
): Promise<Worker> {
  const id = `worker-${crypto.randomUUID().slice(0, 8)}`;
  const connection = await connectNats({ ...config.nats, name: `if-coordinator ${id}` });
  const isConnected = observeConnection(connection, observe);
  const notes = new HealthNotes();
  let stores: OpenStores | null = null;
  let service: TaskService | null = null;
  let hearing: Promise<Stoppable> | null = null;
  const disconnect = async (): Promise<void> => {
    stores?.close();
    await connection.close();
  };
  try {
    warnOfLargeRecords(config, connection, observe);
    stores = await openStores(connection, config, observe);
    const started = new TaskService(wrapStores(stores), settingsOf(config, id), clock, observe);
    service = started;
    await started.start();
    const identity = { workerId: id, version: VERSION };
    hearing = hearDisconnects(config, id, started);
    const endpoints = await Endpoints.start(connection, started, observe, identity);
    const heard = await hearing;
    let stopping = false;
    const ended = Promise.race([endpoints.ended, connection.closed()]);
    const failed = ended.then((error) => {
      if (stopping) return new Promise<never>(() => undefined);
      throw error instanceof Error ? error : new Error("the connection to NATS was closed");
    });
    const stop = async (): Promise<void> => {
      stopping = true;
      await heard.stop();
      // Without a server nobody can be answered, and waiting for it would only delay the end.
      listenToConnection(connection, {
        disconnected: () => void disconnect(),
        reconnected: () => undefined,
      });
      if (!isConnected()) await disconnect();
      started.dismissWaiting();
      try {
        await endpoints.stop();
      } finally {
        await started.stop().finally(disconnect);
      }
    };
    return { id, service: started, failed, notes, isConnected, stop };
  } catch (error) {
    await (await hearing)?.stop();
    await service?.stop();
    await disconnect();
    throw error;
  }
}

/** Lets the service hear of lost connections, if there is a user of the system account. */
async function hearDisconnects(
  config: Config,
  workerId: string,
  service: TaskService,
): Promise<Stoppable> {
  const { systemUsername, systemPassword, systemCredsFile, ...nats } = config.nats;
  if (systemUsername === undefined && systemCredsFile === undefined) {
    service.hearsDisconnects(false, null);
    return { stop: () => Promise.resolve() };
  }
  const { servers, maxReconnectAttempts, reconnectTimeWait, caCert, certFile, keyFile } = nats;
  const system = {
    ...{ servers, maxReconnectAttempts, reconnectTimeWait, caCert, certFile, keyFile },
    username: systemUsername,
    password: systemPassword,
    credsFile: systemCredsFile,
    name: `if-coordinator ${workerId} system`,
  };
  const probe = { ...nats, name: `if-coordinator ${workerId} probe`, maxReconnectAttempts: 0 };
  return listenForDisconnects(system, probe, {
    disconnected: (connection) => {
      service.disconnected(connection);
    },
    heard: (areHeard, problem) => {
      service.hearsDisconnects(areHeard, problem);
    },
  });
}

/** Returns whether the connection is there at the moment. */
function observeConnection(connection: Connection, observe: Observe): () => boolean {
  let connected = true;
  observe({ kind: "connection", state: "connected", server: connection.getServer() });
  listenToConnection(connection, {
    disconnected: () => {
      connected = false;
      observe({ kind: "connection", state: "disconnected", server: connection.getServer() });
    },
    reconnected: (server) => {
      connected = true;
      observe({ kind: "connection", state: "connected", server });
    },
  });
  return () => connected && !connection.isClosed();
}

/** A reply contains the record and a little more. */
const REPLY_EXTRA_BYTES = 4_096;

function warnOfLargeRecords(config: Config, connection: Connection, observe: Observe): void {
  const carried = connection.info?.max_payload ?? Infinity;
  if (config.maxRecordBytes + REPLY_EXTRA_BYTES <= carried) return;
  observe({
    kind: "warning",
    message:
      `max_record_bytes is ${config.maxRecordBytes}, but the NATS server carries messages of ` +
      `${carried} bytes only: lower the one or raise max_payload`,
  });
}

function settingsOf(config: Config, workerId: string): ServiceSettings {
  return {
    workerId,
    version: VERSION,
    defaultTtlSeconds: config.taskClaimTtlSeconds,
    sessionTtlSeconds: config.sessionTtlSeconds,
    maxRecordBytes: config.maxRecordBytes,
    retentionSeconds: config.retentionSeconds,
    retryBaseMs: config.retry.baseMs,
    retryMaxMs: config.retry.maxMs,
    maxFailures: config.maxFailures,
    maxLostLeases: config.maxLostLeases,
    maxInFlight: config.limits.inFlight,
    maxWaiting: config.limits.waiting,
    requestsPerSecond: config.limits.requestsPerSecond,
    leaseGraceMs: config.leaseGraceMs,
    disconnectGraceMs: config.disconnectGraceMs,
    outageGraceMs: config.outageGraceSeconds * 1000,
  };
}

function workerHealth(worker: Worker): WorkerHealth {
  const { id, service, notes } = worker;
  return {
    id,
    connected: worker.isConnected(),
    index_current: service.tasks.isCurrent,
    problems: notes.problems,
    warnings: notes.warnings,
  };
}

const SYSTEM_CLOCK: Clock = { now: Date.now, random: Math.random };
