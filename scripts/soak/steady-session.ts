/** A session that does the everyday at an even pace, and measures how long each operation takes. */
import { type Part, repeatedly, rest } from "./client.ts";

/** Asked once: an operation that is repeated would measure the pauses between. */
const ONCE = { deadlineMs: 0, timeoutMs: 4_000 };
const ROUNDS = 500;
const [SHORTEST_SECONDS, LONGEST_SECONDS] = [0.1, 0.3];

/** Makes a task, claims it and releases it; makes another, and is given it by `next`. */
export function workSteadily(part: Part): Promise<void> {
  const { meter, id: session_id } = part;
  let made = 0;
  return repeatedly(part, async ({ coordinator: { tasks } }) => {
    for (let i = 0; i < ROUNDS && !part.signal.aborted; i++) {
      const taskId = `${session_id}.${++made}`;
      await meter.measure("create", () => tasks.create(taskId, {}, ONCE));
      const claim = { session_id, ttl_seconds: 5 };
      const claimed =
        i % 2 === 0
          ? await meter.measure("claim", () => tasks.claim(taskId, claim, ONCE))
          : await meter.measure("next", () => tasks.next({ ...claim, prefix: taskId }, ONCE));
      const end = { session_id, status: "complete" } as const;
      if (claimed !== null) await meter.measure("release", () => tasks.release(taskId, end, ONCE));
      await rest(part, SHORTEST_SECONDS, LONGEST_SECONDS);
    }
  });
}
