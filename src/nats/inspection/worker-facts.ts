/** Asks every worker for its statistics by the NATS service protocol (ADR-32). */
import { errors, TimeoutError } from "@nats-io/nats-core";
import { readReply, workerAnnouncement, workerStatistics } from "../../protocol/nats-replies.ts";
import { QUEUE_GROUP } from "../../protocol/subjects.ts";
import type { Connection } from "../connection.ts";
import { type ClockReading, readClock } from "./clock-reading.ts";

export interface WorkerFacts {
  readonly id: string;
  /** The version of the protocol. */
  readonly protocol: string;
  /** The version of the package; `null` if the worker does not say it. */
  readonly version: string | null;
  /** The settings that the worker announces, by name; `null` if it announces none. */
  readonly settings: Readonly<Record<string, unknown>> | null;
  /** The number of parked requests; `null` if the worker does not announce it. */
  readonly waiting: number | null;
  readonly startedAt: string | null;
  readonly requests: number;
  readonly errors: number;
  /** The last error of each endpoint that had one. */
  readonly lastErrors: readonly string[];
  /** `null` if the worker does not announce its time. */
  readonly clock: ClockReading | null;
}

const LONGEST_MS = 2_000;
/** After this time without another reply, all workers have replied. */
const STALL_MS = 300;

/**
 * The workers that replied, in the order of their ids. None if nobody replies, or if the user may not ask:
 * a request to a worker tells these cases apart.
 */
export async function inspectWorkers(connection: Connection): Promise<WorkerFacts[]> {
  const workers: WorkerFacts[] = [];
  const sentAt = Date.now();
  try {
    const options = { strategy: "stall", maxWait: LONGEST_MS, stall: STALL_MS } as const;
    const subject = `$SRV.STATS.${QUEUE_GROUP}`;
    for await (const reply of await connection.requestMany(subject, "", options)) {
      const worker = readWorker(reply.string(), sentAt, Date.now());
      if (worker !== null) workers.push(worker);
    }
  } catch (error) {
    if (!isNoReply(error)) throw error;
  }
  return workers.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function isNoReply(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError || error instanceof TimeoutError) return true;
  if (error instanceof errors.PermissionViolationError) return true;
  return error instanceof errors.RequestError && isNoReply(error.cause);
}

function readWorker(text: string, sentAt: number, receivedAt: number): WorkerFacts | null {
  const statistics = readReply(workerStatistics, text);
  if (statistics === null) return null;
  const { endpoints, metadata, started, version } = statistics;
  const [announced] = endpoints.flatMap(
    ({ data }) => workerAnnouncement.safeParse(data).data ?? [],
  );
  return {
    id: metadata?.worker_id ?? statistics.id,
    protocol: version,
    version: metadata?.package_version ?? null,
    settings: announced?.settings ?? null,
    waiting: announced?.waiting ?? null,
    startedAt: started ?? null,
    requests: endpoints.reduce((sum, { num_requests: count }) => sum + count, 0),
    errors: endpoints.reduce((sum, { num_errors: count }) => sum + count, 0),
    lastErrors: endpoints.flatMap(({ last_error: error }) => error ?? []),
    clock: announced === undefined ? null : readClock(announced.time, sentAt, receivedAt),
  };
}
