/** How long after the end of its lease the task of a dead session can be claimed again. */
import { setTimeout as delay } from "node:timers/promises";
import { LibraryClient } from "../lab/clients.ts";
import type { Bench, Row } from "./bench.ts";

const TTL_SECONDS = [1, 2, 5] as const;
/** The rounds start apart, so that each meets another moment of what workers do at intervals. */
const APART_MS = 170;
const WAIT_SECONDS = 30;

export async function measureExpiry(bench: Bench, rounds: number): Promise<Row[]> {
  await using client = await LibraryClient.open(bench.cluster.urls, "expiry");
  const toldAt = new Map<string, number>();
  await client.coordinator.subscribeTaskUpdates(({ type, task_id }) => {
    if (type === "task_expired") toldAt.set(task_id, performance.now());
  });
  const rows: Row[] = [];
  for (const ttl of TTL_SECONDS) {
    const ids = await bench.newTasks(rounds);
    const all = await Promise.all(ids.map((id, i) => expire(bench, id, ttl, i * APART_MS)));
    const claimed = all.map(({ endsAt, claimedAt }) => claimedAt - endsAt);
    const told = ids.map((id, i) => (toldAt.get(id) ?? NaN) - (all[i]?.endsAt ?? NaN));
    rows.push(
      row(`TTL ${ttl} s: until a waiting next has it`, claimed),
      row(`TTL ${ttl} s: until the update is told`, told),
    );
  }
  return rows;
}

interface Expiry {
  /** The end of the TTL, counted from the answer to the claim. */
  readonly endsAt: number;
  readonly claimedAt: number;
}

async function expire(
  { tasks }: Bench,
  id: string,
  ttl_seconds: number,
  afterMs: number,
): Promise<Expiry> {
  await delay(afterMs);
  await tasks.claim(id, { session_id: "dead", ttl_seconds });
  const endsAt = performance.now() + ttl_seconds * 1000;
  const { claims } = await tasks.next({
    session_id: "alive",
    prefix: id,
    ttl_seconds: 3_600,
    wait_seconds: WAIT_SECONDS,
  });
  if (claims[0]?.task.task_id !== id) throw new Error(`${id} did not come back`);
  return { endsAt, claimedAt: performance.now() };
}

function row(what: string, values: readonly number[]): Row {
  return { what: `dead session, ${what}`, unit: "ms", values };
}
