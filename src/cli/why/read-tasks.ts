/** Reads what an explanation needs from the coordinator. */
import type { Calls } from "../../client/calls.ts";
import { hasCode } from "../../client/task-error.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";
import { taskPages } from "../shared/task-pages.ts";
import type { ChainTask, Found } from "./blocking-chain.ts";
import type { TaskReader } from "./load-chain.ts";
import type { Demand, Lease } from "./reasons.ts";
import { SessionSummary } from "./session-summary.ts";

const PAGE_SIZE = 1_000;

export function taskReader(calls: Calls): TaskReader {
  return {
    async get(id): Promise<Found> {
      try {
        return toChainTask((await calls.call("tasks.get", id, () => ({}))).task);
      } catch (error) {
        if (hasCode(error, "not_found")) return "missing";
        if (hasCode(error, "corrupt_record", "too_large")) return "unreadable";
        throw error;
      }
    },
    async *pages() {
      for await (const page of taskPages(calls, {})) yield page.map(toChainTask);
    },
  };
}

/** Without what can be large: of 100,000 tasks, only what the explanation needs is kept. */
export function toChainTask(record: TaskRecord): ChainTask {
  const isComplete = record.status === "complete";
  return {
    task_id: record.task_id,
    title: record.title,
    status: record.status,
    depends_on: isComplete ? [] : record.depends_on,
    requires: record.requires,
    claimed_by: record.claimed_by,
    claimed_at: record.claimed_at,
    attempt: record.attempt,
    failures: record.failures,
    max_failures: record.max_failures,
    not_before: record.not_before,
    error: record.error,
    updated_at: record.updated_at,
    completed_at: record.completed_at,
    completed_by: record.completed_by,
    last_event: record.last_event,
    cancel_requested: record.cancel_requested,
  };
}

/** The leases of claimed tasks. A task that is no longer claimed, or has no lease, is left out. */
export async function readLeases(
  calls: Calls,
  ids: readonly string[],
): Promise<Map<string, Lease>> {
  const leases = new Map<string, Lease>();
  const read = async (id: string): Promise<void> => {
    try {
      const { lease } = await calls.call("tasks.get", id, () => ({}));
      if (lease !== null) leases.set(id, lease);
    } catch (error) {
      if (!hasCode(error, "not_found", "corrupt_record", "too_large")) throw error;
    }
  };
  await Promise.all(ids.map(read));
  return leases;
}

/** What the sessions are doing. */
export async function readDemand(calls: Calls): Promise<Demand> {
  const sessions = new SessionSummary();
  let cursor: string | undefined;
  do {
    const body = { limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) };
    const page = await calls.call("sessions.list", undefined, () => body);
    for (const session of page.sessions) sessions.add(session);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  const { ready, worker } = await calls.call("tasks.stats", undefined, () => ({}));
  return { sessions, waiting: worker.waiting, ready };
}

/** For an explanation in which no task is ready. */
export const NO_DEMAND: Demand = { sessions: new SessionSummary(), waiting: 0, ready: 0 };
