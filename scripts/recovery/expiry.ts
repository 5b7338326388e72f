/** How long after the end of its lease the task of a session that is dead can be claimed again. */
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import type { Bench } from "./bench.ts";
import type { Row } from "./rows.ts";

const TTL_SECONDS = [1, 2, 5] as const;
/** So that the rounds meet different moments of whatever comes in turns. */
const APART_MS = 170;
const WAIT_SECONDS = 30;

export async function measureExpiry(bench: Bench, rounds: number): Promise<Row[]> {
  const bus = new EventBus({ backend: "nats", config: { servers: bench.cluster.urls } });
  if (!(await bus.connect())) throw new Error("the servers cannot be reached");
  try {
    const toldAt = new Map<string, number>();
    await new Coordinator(bus).subscribeTaskUpdates(({ type, task_id }) => {
      if (type === "task_expired") toldAt.set(task_id, performance.now());
    });
    const rows: Row[] = [];
    for (const ttl of TTL_SECONDS) {
      const ids = await bench.newTasks(rounds);
      const all = await Promise.all(ids.map((id, i) => expire(bench, id, ttl, i * APART_MS)));
      const told = ids.map((id, i) => (toldAt.get(id) ?? NaN) - (all[i]?.endsAt ?? NaN));
      rows.push(
        row(`TTL ${ttl} s: until a waiting next has it`, all.map(late)),
        row(`TTL ${ttl} s: until the update is told`, told),
      );
    }
    return rows;
  } finally {
    await bus.disconnect();
  }
}

interface Expiry {
  /** When the TTL was over, counted from the answer to the claim. */
  readonly endsAt: number;
  readonly claimedAt: number;
}

async function expire(
  { tasks }: Bench,
  id: string,
  ttl_seconds: number,
  afterMs: number,
): Promise<Expiry> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
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

function late({ endsAt, claimedAt }: Expiry): number {
  return claimedAt - endsAt;
}

function row(what: string, values: readonly number[]): Row {
  return { what: `dead session, ${what}`, unit: "ms", values };
}
