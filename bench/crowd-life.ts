/** How the sessions of a crowd live: each by a rhythm of its own, all of them spread evenly over time. */
import { setTimeout as delay } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Life, Lived } from "./crowd-orders.ts";

const TTL_SECONDS = 300;
const TIMEOUT_MS = 30_000;

/** At once, while they begin. */
const REGISTERED_AT_ONCE = 50;

type Kind = keyof Lived["latencies"];

interface Reply {
  readonly ok: boolean;
  readonly claims?: readonly { readonly task: { task_id: string }; readonly attempt: number }[];
}

/** So that heartbeats have something to renew. */
async function register(connections: readonly NatsConnection[], prefix: string): Promise<void> {
  for (let from = 0; from < connections.length; from += REGISTERED_AT_ONCE) {
    const some = connections.slice(from, from + REGISTERED_AT_ONCE);
    await Promise.all(
      some.map((connection, i) =>
        connection.request(`sessions.register.${prefix}-${from + i}`, "{}", {
          timeout: TIMEOUT_MS,
        }),
      ),
    );
  }
}

export async function liveOn(connections: readonly NatsConnection[], life: Life): Promise<Lived> {
  const latencies: Record<Kind, number[]> = { next: [], release: [], heartbeat: [] };
  let failures = 0;
  await register(connections, life.prefix);
  const until = performance.now() + life.seconds * 1000;
  const ask = async (
    connection: NatsConnection,
    kind: Kind,
    subject: string,
    body: object,
  ): Promise<Reply> => {
    const from = performance.now();
    try {
      const options = { timeout: TIMEOUT_MS };
      const reply = await connection.request(subject, JSON.stringify(body), options);
      latencies[kind].push(performance.now() - from);
      const answer = reply.json<Reply>();
      if (!answer.ok) failures++;
      return answer;
    } catch {
      failures++;
      return { ok: false };
    }
  };
  /** Again and again, beginning somewhere in the first turn. */
  const every = async (
    seconds: number,
    offset: number,
    act: () => Promise<void>,
  ): Promise<void> => {
    for (let at = offset * seconds * 1000; ; at += seconds * 1000) {
      const wait = until - life.seconds * 1000 + at - performance.now();
      if (performance.now() + wait >= until) return;
      await delay(Math.max(0, wait));
      await act();
    }
  };
  const live = async (connection: NatsConnection, index: number): Promise<void> => {
    const session_id = `${life.prefix}-${index}`;
    const offset = index / connections.length;
    let held: NonNullable<Reply["claims"]>[number] | undefined;
    const work = async (): Promise<void> => {
      if (held !== undefined) {
        const { task, attempt } = held;
        const release = { session_id, attempt, status: "complete" };
        await ask(connection, "release", `tasks.release.${task.task_id}`, release);
      }
      const claim = { session_id, ttl_seconds: TTL_SECONDS };
      held = (await ask(connection, "next", "tasks.next", claim)).claims?.[0];
    };
    const beat = async (): Promise<void> => {
      await ask(connection, "heartbeat", `sessions.heartbeat.${session_id}`, {});
    };
    await Promise.all([
      every(life.claimEverySeconds, offset, work),
      every(life.heartbeatEverySeconds, offset, beat),
    ]);
  };
  await Promise.all(connections.map(live));
  return { latencies, failures };
}
