/** What the sessions of a crowd do. Each acts at regular times, which are spread evenly over all of them. */
import { setTimeout as delay } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Claimed, Reply } from "./client.ts";

/** A session claims, sends heartbeats, and completes, as agents do. */
export interface Life {
  readonly seconds: number;
  /** Each session takes a task this often, and completes the one before. */
  readonly claimEverySeconds: number;
  readonly heartbeatEverySeconds: number;
  /** The ids of the sessions begin with it. */
  readonly prefix: string;
}

export interface Lived {
  /** The milliseconds of each request. */
  readonly latencies: Readonly<Record<"next" | "release" | "heartbeat", number[]>>;
  /** Requests that did not succeed. */
  readonly failures: number;
}

const TTL_SECONDS = 300;
const TIMEOUT_MS = 30_000;
const REGISTERED_AT_ONCE = 50;

export async function liveOn(connections: readonly NatsConnection[], life: Life): Promise<Lived> {
  const { prefix, seconds, claimEverySeconds, heartbeatEverySeconds } = life;
  const latencies: Lived["latencies"] = { next: [], release: [], heartbeat: [] };
  let failures = 0;
  await register(connections, prefix);
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;

  /** Acts again and again, for the first time at this share of the first period. */
  const every = async (
    periodSeconds: number,
    share: number,
    act: () => Promise<void>,
  ): Promise<void> => {
    for (let periods = share; ; periods++) {
      const at = startedAt + periods * periodSeconds * 1000;
      if (at >= until) return;
      await delay(Math.max(0, at - performance.now()));
      await act();
    }
  };

  const live = async (connection: NatsConnection, index: number): Promise<void> => {
    const session_id = `${prefix}-${index}`;
    const ask = async (
      kind: keyof Lived["latencies"],
      subject: string,
      body: object,
    ): Promise<Partial<Reply>> => {
      const from = performance.now();
      try {
        const options = { timeout: TIMEOUT_MS };
        const message = await connection.request(subject, JSON.stringify(body), options);
        latencies[kind].push(performance.now() - from);
        const reply = message.json<Reply>();
        if (!reply.ok) failures++;
        return reply;
      } catch {
        failures++;
        return {};
      }
    };
    let held: Claimed | undefined;
    const work = async (): Promise<void> => {
      if (held !== undefined) {
        const { task, attempt } = held;
        const release = { session_id, attempt, status: "complete" };
        await ask("release", `tasks.release.${task.task_id}`, release);
      }
      const claim = { session_id, ttl_seconds: TTL_SECONDS };
      held = (await ask("next", "tasks.next", claim)).claims?.[0];
    };
    const beat = async (): Promise<void> => {
      await ask("heartbeat", `sessions.heartbeat.${session_id}`, {});
    };
    const share = index / connections.length;
    await Promise.all([
      every(claimEverySeconds, share, work),
      every(heartbeatEverySeconds, share, beat),
    ]);
  };
  await Promise.all(connections.map(live));
  return { latencies, failures };
}

/** Registers the sessions, so that heartbeats have something to renew. */
async function register(connections: readonly NatsConnection[], prefix: string): Promise<void> {
  for (let from = 0; from < connections.length; from += REGISTERED_AT_ONCE) {
    const some = connections.slice(from, from + REGISTERED_AT_ONCE);
    const options = { timeout: TIMEOUT_MS };
    await Promise.all(
      some.map((connection, i) =>
        connection.request(`sessions.register.${prefix}-${from + i}`, "{}", options),
      ),
    );
  }
}
