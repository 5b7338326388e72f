/** One worker: a member of the queue group on its own connection. Starts its parts in order, stops them in reverse. */
import { type Cleanup, startWithCleanup } from "../cleanup.ts";
import type { Config } from "../config.ts";
import { agentUpdateSender } from "../nats/agent-updates.ts";
import { type Connection, listenToConnection } from "../nats/connection.ts";
import { listenForDisconnects } from "../nats/disconnect-events.ts";
import { Endpoints } from "../nats/endpoints.ts";
import { requireInbox } from "../nats/inbox.ts";
import { openStores, type OpenStores } from "../nats/open-stores.ts";
import { connectPatiently, type StartPatience, unlessAborted } from "../nats/start-patience.ts";
import type { Clock, Observe, Stoppable, Stores } from "../service/ports.ts";
import type { ServiceSettings } from "../service/service-settings.ts";
import { TaskService } from "../service/task-service.ts";
import { HealthNotes, type WorkerHealth } from "../telemetry/health.ts";
import { VERSION } from "../version.ts";
import { announcementOf } from "./announcement.ts";
import { type Audit, startAudit } from "./audit.ts";
import { checkAccess } from "./check-access.ts";
import { observeConnection } from "./observe-connection.ts";
import { systemLogin } from "./system-login.ts";

export interface Worker {
  readonly id: string;
  readonly service: TaskService;
  /** Rejects with the reason if the worker ends by itself. Otherwise it stays pending. */
  readonly failed: Promise<never>;
  readonly notes: HealthNotes;
  isConnected(): boolean;
  stop(): Promise<void>;
}

export interface WorkerOptions {
  readonly id: string;
  readonly observe: Observe;
  readonly patience: StartPatience;
  readonly wrapStores: (stores: Stores) => Stores;
  readonly clock: Clock;
}

export function newWorkerId(): string {
  return `worker-${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * Resolves when the worker answers requests. It waits for NATS as long as `patience` allows.
 *
 * @throws Error if it cannot start; then nothing of it is left
 */
export function startWorker(config: Config, options: WorkerOptions): Promise<Worker> {
  return startWithCleanup((cleanup) => start(config, options, cleanup));
}

/** Each part that starts adds its stop to the cleanup. */
async function start(
  config: Config,
  { id, observe: report, patience, wrapStores, clock }: WorkerOptions,
  cleanup: Cleanup,
): Promise<Worker> {
  const notes = new HealthNotes();
  let service: TaskService | null = null;
  let audit: Audit | null = null;
  const observe: Observe = (fact) => {
    if (fact.kind === "writes_refused") noteRefusal(notes, fact.bucket, fact.reason);
    if (fact.kind === "bucket_problem") {
      const { bucket, problem } = fact;
      notes.problem(`bucket ${bucket}`, problem);
      service?.bucketProblem(bucket, problem);
    }
    if (fact.kind === "audit_problem") notes.warning("audit", fact.problem);
    audit?.note(fact);
    report(fact);
  };
  const named = { ...config.nats, name: `if-coordinator ${id}` };
  const connection = await connectPatiently(named, patience);
  let stores: OpenStores | null = null;
  const disconnect = async (): Promise<void> => {
    stores?.close();
    await connection.close();
  };
  cleanup.defer(disconnect);
  const isConnected = observeConnection(connection, observe, notes);
  await requireInbox(connection);
  warnOfLargeRecords(config, connection, observe);
  await checkAccess(config, connection, observe);
  const { history, replicas, nats, maxRecordBytes } = config;
  const storeOptions = { history, replicas, jsDomain: nats.jsDomain, maxRecordBytes };
  stores = await openStores(connection, storeOptions, patience, observe);
  audit = startAudit(config, { connection, isConnected }, { workerId: id, clock, observe });
  cleanup.defer(async () => audit?.stop());
  const settings = settingsOf(config, id, connection);
  const context = { settings, clock, observe };
  const started = new TaskService(wrapStores(stores), context, agentUpdateSender(connection));
  service = started;
  cleanup.defer(() => started.stop());
  const current = Promise.race([started.start(), endOf(connection)]);
  await unlessAborted(current, patience.signal);
  // Meanwhile the endpoints start.
  const reports = followDisconnects(config, id, started);
  cleanup.defer(async () => (await reports).stop());
  const announce = (): object => announcementOf(config, clock, started.waiting);
  const identity = { workerId: id, version: VERSION, announce };
  const endpoints = await Endpoints.start(connection, started, observe, identity);
  let stopping = false;
  cleanup.defer(async () => {
    stopping = true;
    // Without a server nobody can be answered: waiting for one would only delay the end.
    listenToConnection(connection, {
      disconnected: () => void disconnect(),
      reconnected: () => undefined,
    });
    if (!isConnected()) await disconnect();
    started.dismissWaiting();
    await endpoints.stop();
  });
  await reports;
  const ended = Promise.race([endpoints.ended, connection.closed()]);
  const failed = ended.then((error) => {
    if (stopping) return new Promise<never>(() => undefined);
    throw closedBy(error);
  });
  const stop = (): Promise<void> => cleanup[Symbol.asyncDispose]();
  return { id, service: started, failed, notes, isConnected, stop };
}

function noteRefusal(notes: HealthNotes, bucket: string, reason: string | null): void {
  const problem =
    reason === null
      ? null
      : `the bucket "${bucket}" refuses every write (${reason}): free space if it has reached a limit or ` +
        "the disk is full, otherwise restart the NATS server that leads it";
  notes.problem(`writes to ${bucket}`, problem);
}

/** Rejects when the connection is closed: then nothing more can arrive on it. */
async function endOf(connection: Connection): Promise<never> {
  throw closedBy(await connection.closed());
}

function closedBy(error: unknown): Error {
  return error instanceof Error ? error : new Error("the connection to NATS was closed");
}

/** Reports lost connections to the service, if a user of the system account is set. */
async function followDisconnects(
  config: Config,
  workerId: string,
  service: TaskService,
): Promise<Stoppable> {
  const system = systemLogin(config.nats, `if-coordinator ${workerId} system`);
  if (system === null) {
    service.setDisconnectReports(false, null);
    return { stop: () => Promise.resolve() };
  }
  const probe = {
    ...config.nats,
    name: `if-coordinator ${workerId} probe`,
    maxReconnectAttempts: 0,
  };
  return listenForDisconnects(system, probe, {
    disconnected: (connection, client) => {
      service.disconnected(connection, client);
    },
    availability: (areReported, problem) => {
      service.setDisconnectReports(areReported, problem);
    },
  });
}

/** How much larger than its record a reply can be, in bytes. */
const REPLY_EXTRA_BYTES = 4_096;

function warnOfLargeRecords(config: Config, connection: Connection, observe: Observe): void {
  const carried = maxPayloadOf(connection);
  if (config.maxRecordBytes + REPLY_EXTRA_BYTES <= carried) return;
  observe({
    kind: "warning",
    message:
      `max_record_bytes is ${config.maxRecordBytes}, but the NATS server accepts messages of at most ` +
      `${carried} bytes: lower max_record_bytes, or raise max_payload of the server`,
  });
}

function maxPayloadOf(connection: Connection): number {
  return connection.info?.max_payload ?? Infinity;
}

function settingsOf(config: Config, workerId: string, connection: Connection): ServiceSettings {
  return {
    workerId,
    version: VERSION,
    defaultTtlSeconds: config.taskClaimTtlSeconds,
    sessionTtlSeconds: config.sessionTtlSeconds,
    maxRecordBytes: config.maxRecordBytes,
    get maxReplyBytes() {
      return maxPayloadOf(connection);
    },
    bucketBytes: config.limits.bucketBytes,
    maxSessionBytes: config.limits.sessionBytes,
    maxSessionBytesPerPrincipal: config.limits.sessionBytesPerPrincipal,
    retentionSeconds: config.retentionSeconds,
    retryBaseMs: config.retry.baseMs,
    retryMaxMs: config.retry.maxMs,
    maxFailures: config.maxFailures,
    maxLostLeases: config.maxLostLeases,
    maxInFlight: config.limits.inFlight,
    maxInFlightPerPrincipal: config.limits.inFlightPerPrincipal,
    maxQueuedPerPrincipal: config.limits.queuedPerPrincipal,
    maxWaiting: config.limits.waiting,
    maxWaitingPerPrincipal: config.limits.waitingPerPrincipal,
    maxWaitingPerSession: config.limits.waitingPerSession,
    maxFiltersPerPrincipal: config.limits.filtersPerPrincipal,
    maxFilterBytes: config.limits.filterBytes,
    maxClaimsPerSession: config.limits.claimsPerSession,
    maxClaimsPerPrincipal: config.limits.claimsPerPrincipal,
    maxLeaseSeconds: config.limits.leaseSeconds,
    requestsPerSecond: config.limits.requestsPerSecond,
    requestBytesPerSecond: config.limits.requestBytesPerSecond,
    owned: {
      tasks: config.limits.tasks,
      bytes: config.limits.bytes,
      tasksPerPrincipal: config.limits.tasksPerPrincipal,
      bytesPerPrincipal: config.limits.bytesPerPrincipal,
    },
    principalsOnly: config.auth.mode === "accounts",
    visibility: config.auth.visibility,
    leaseGraceMs: config.leaseGraceMs,
    disconnectGraceMs: config.disconnectGraceMs,
    outageGraceMs: config.outageGraceSeconds * 1000,
  };
}

export function healthOfWorker(worker: Worker): WorkerHealth {
  const { id, service, notes } = worker;
  return {
    id,
    connected: worker.isConnected(),
    index_current: service.tasks.isCurrent,
    problems: notes.problems,
    warnings: notes.warnings,
  };
}
