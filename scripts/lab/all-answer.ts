/** Whether each of the workers does its share, which no request can ask one of them by name. */
import { setTimeout as delay } from "node:timers/promises";
import { Svcm } from "@nats-io/services";
import type { NatsConnection } from "@nats-io/nats-core";
import { connectNats } from "../../src/nats/connection.ts";
import { QUEUE_GROUP } from "../../src/protocol/subjects.ts";
import type { Problem } from "../../src/history/history.ts";

/** For each worker; which of them answers is up to chance. */
const REQUESTS = 20;
const REQUEST_TIMEOUT_MS = 2_000;
const STATS_TIMEOUT_MS = 500;
const PAUSE_MS = 100;

/** Asks until every request is answered and every worker has answered some of them. */
export async function untilAllAnswer(
  servers: readonly string[],
  workers: number,
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

async function problemOf(connection: NatsConnection, workers: number): Promise<string | null> {
  const before = await answersByWorker(connection);
  if (before.size !== workers) return `${before.size} of ${workers} workers are there`;
  const answers = await Promise.allSettled(
    Array.from({ length: REQUESTS * workers }, async () => {
      const reply = await connection.request("tasks.stats", "", { timeout: REQUEST_TIMEOUT_MS });
      if (!reply.json<{ ok: boolean }>().ok) throw new Error(reply.string());
    }),
  );
  const failed = answers.filter(({ status }) => status === "rejected").length;
  if (failed > 0) return `${failed} of ${answers.length} requests were not answered`;
  const after = await answersByWorker(connection);
  const idle = [...after].filter(([id, count]) => count <= (before.get(id) ?? 0));
  return idle.length === 0 ? null : `${idle.length} workers have answered nothing`;
}

async function answersByWorker(connection: NatsConnection): Promise<Map<string, number>> {
  const client = new Svcm(connection).client({ strategy: "timer", maxWait: STATS_TIMEOUT_MS });
  const counts = new Map<string, number>();
  for await (const { id, endpoints = [] } of await client.stats(QUEUE_GROUP)) {
    counts.set(
      id,
      endpoints.reduce((sum, { num_requests }) => sum + num_requests, 0),
    );
  }
  return counts;
}
