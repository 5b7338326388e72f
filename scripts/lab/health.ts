/** Whether the processes of a run are well: they live, every worker answers, and no claim is stuck. */
import { setTimeout as delay } from "node:timers/promises";
import { Svcm } from "@nats-io/services";
import type { NatsConnection } from "@nats-io/nats-core";
import type { TaskClient } from "../../src/client/task-client.ts";
import type { Problem } from "../../src/history/history.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { QUEUE_GROUP } from "../../src/protocol/subjects.ts";
import type { TaskRecord } from "../../src/protocol/task-record.ts";
import type { Cluster } from "./cluster.ts";

/** For each worker. No request can name a worker, so there are many requests. */
const REQUESTS = 20;
const REQUEST_TIMEOUT_MS = 2_000;
const STATS_TIMEOUT_MS = 500;
const PAUSE_MS = 100;

/** A worker, such as a `Member`, that must answer. */
export interface CheckedWorker {
  readonly name: string;
  /** Its worker id; `null`: it has not begun to serve. */
  readonly said: string | null;
  /** Follows the name in a message. */
  describe(): string;
}

/** Repeats requests until all are answered and every worker has answered some of them. */
export async function untilAllAnswer(
  servers: readonly string[],
  workers: readonly CheckedWorker[],
  timeoutMs: number,
): Promise<Problem[]> {
  const connection = await connectNats({ servers, name: "probe" });
  const deadline = performance.now() + timeoutMs;
  try {
    for (;;) {
      const what = await problemOf(connection, workers);
      if (what === null) return [];
      if (performance.now() > deadline) return [{ guarantee: "answers", taskId: null, what }];
      await delay(PAUSE_MS);
    }
  } finally {
    await connection.close();
  }
}

async function problemOf(
  connection: NatsConnection,
  workers: readonly CheckedWorker[],
): Promise<string | null> {
  const before = await answersByWorker(connection);
  const absent = workers.filter(({ said }) => said === null || !before.has(said));
  if (absent.length > 0 || before.size !== workers.length) {
    return described(`${before.size} of ${workers.length} workers are there`, absent);
  }
  const answers = await Promise.allSettled(
    Array.from({ length: REQUESTS * workers.length }, async () => {
      const reply = await connection.request("tasks.stats", "", { timeout: REQUEST_TIMEOUT_MS });
      if (!reply.json<{ ok: boolean }>().ok) throw new Error(reply.string());
    }),
  );
  const failed = answers.filter(({ status }) => status === "rejected").length;
  if (failed > 0) return `${failed} of ${answers.length} requests were not answered`;
  const after = await answersByWorker(connection);
  const answered = (id: string): number => (after.get(id) ?? 0) - (before.get(id) ?? 0);
  const idle = workers.filter(({ said }) => answered(said ?? "") <= 0);
  return idle.length === 0 ? null : described("not every worker answers requests", idle);
}

function described(what: string, culprits: readonly CheckedWorker[]): string {
  return [what, ...culprits.map((one) => `${one.name} ${one.describe()}`)].join("\n");
}

/** The number of requests that each worker has answered, by its id. */
async function answersByWorker(connection: NatsConnection): Promise<Map<string, number>> {
  const client = new Svcm(connection).client({ strategy: "timer", maxWait: STATS_TIMEOUT_MS });
  const counts = new Map<string, number>();
  for await (const { metadata, endpoints = [] } of await client.stats(QUEUE_GROUP)) {
    counts.set(
      String(metadata?.worker_id),
      endpoints.reduce((sum, { num_requests }) => sum + num_requests, 0),
    );
  }
  return counts;
}

/**
 * The processes that ended by themselves.
 *
 * A worker that cannot reach NATS when it is started gives up, and a node may end while its disk is full.
 * Nothing else ends a process.
 */
export function endingProblems(
  { nodes, workers, intruder }: Cluster,
  startedAt: number,
): Problem[] {
  return [...nodes, ...workers, intruder].flatMap(({ name, endings }) =>
    endings
      .filter(({ hasServed, isExcused }) => hasServed && !isExcused)
      .map(({ at, how }) => {
        const seconds = ((at - startedAt) / 1000).toFixed(1);
        const what = `${name} has ended by itself (${how}) after ${seconds} s`;
        return { guarantee: "alive", taskId: null, what };
      }),
  );
}

/** The tasks that are still claimed after that time. Resolves as soon as there are none. */
export async function stuckTasks(tasks: TaskClient, timeoutMs: number): Promise<TaskRecord[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { tasks: claimed } = await tasks.list({ status: "claimed", limit: 1_000 });
    if (claimed.length === 0 || performance.now() > deadline) return claimed;
    await delay(PAUSE_MS);
  }
}
