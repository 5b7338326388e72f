/** Workers of the library, loops over claims, steady sessions, and the source of their tasks. */
import type { Claim } from "../../src/client/claim.ts";
import { PermanentError, type TaskContext } from "../../src/client/task-handler.ts";
import { happens, type Part, repeatedly, rest, vanish } from "./client.ts";

/** Of the tasks of each kind, so that neither kind leaves the other without tasks. */
const PREFIXES = { work: "work.", claims: "claims." } as const;
const TTL_SECONDS = 2;
/** So long that a parked request mostly ends because of a task. */
const WAIT_SECONDS = 5;
const CONCURRENCY = 3;
const PORTION = 20;
const STOP_MS = 1_000;
/** No repetition: an operation that is repeated would measure the pauses. */
const ONCE = { deadlineMs: 0, timeoutMs: 4_000 };
const ROUNDS = 500;
const [SHORTEST_SECONDS, LONGEST_SECONDS] = [0.1, 0.3];

/** Keeps a few tasks ready: creates as many as are finished. */
export function feed(part: Part): Promise<void> {
  let made = 0;
  return repeatedly(part, async ({ coordinator: { tasks } }) => {
    for (let i = 0; i < 30 && !part.signal.aborted; i++) {
      for (const prefix of Object.values(PREFIXES)) {
        const ready = await part.meter.attempt("list", () =>
          tasks.list({ prefix, status: ["available", "blocked"], limit: PORTION }),
        );
        if (ready === null || ready.tasks.length >= PORTION / 2) continue;
        const next = (): string => `${prefix}${part.id}.${++made}`;
        const portion = Array.from({ length: PORTION }, () => ({
          task_id: next(),
          max_failures: 3,
        }));
        await part.meter.attempt("import", () => tasks.importTasks(portion));
      }
      await rest(part, 0.3, 0.7);
    }
  });
}

/** Works for a while, stops or just disappears, and comes back as another session. */
export function work(part: Part): Promise<void> {
  let visits = 0;
  return repeatedly(part, async (client) => {
    const { coordinator } = client;
    const worker = coordinator.work(
      {
        session: `${part.id}.${++visits}`,
        prefix: PREFIXES.work,
        ttlSeconds: TTL_SECONDS,
        waitSeconds: WAIT_SECONDS,
        concurrency: CONCURRENCY,
        renewInThread: happens(part, 0.1),
      },
      (_task, context) => handle(part, context),
    );
    // Rejects only for a refusal, which is a defect of the load or of the coordinator.
    await Promise.race([rest(part, 10, 60), worker.done]);
    if (happens(part, 0.7)) await worker.stop({ deadlineMs: STOP_MS });
    else await vanish(client);
  });
}

/** Succeeds, fails, fails for good, or hangs for longer than its lease and ignores its signal. */
async function handle(part: Part, context: TaskContext): Promise<object> {
  const chance = part.random();
  await rest(part, 0.01, 0.1);
  context.progress({ chance });
  part.meter.count("handled");
  if (chance < 0.1) throw new Error("this attempt fails");
  if (chance < 0.15) throw new PermanentError("this task fails");
  if (chance < 0.2) await rest(part, TTL_SECONDS, 2 * TTL_SECONDS);
  return { chance };
}

/** A loop over claims, which ends each claim in some way, or forgets it. */
export function loopOverClaims(part: Part): Promise<void> {
  let visits = 0;
  return repeatedly(part, async ({ coordinator }) => {
    const session = `${part.id}.${++visits}`;
    const options = { session, prefix: PREFIXES.claims, ttlSeconds: TTL_SECONDS, waitSeconds: 1 };
    const until = performance.now() + 10_000 + part.random() * 30_000;
    // A loop with a forgotten claim is not idle, and the last task may come before the load ends.
    const stop = (): void => void coordinator.stop({ deadlineMs: STOP_MS });
    part.signal.addEventListener("abort", stop);
    for await (const claim of coordinator.claims({ ...options, stopWhenIdle: true })) {
      await rest(part, 0.01, 0.1);
      await endSomehow(part, claim);
      if (part.signal.aborted || performance.now() > until) break;
    }
    part.signal.removeEventListener("abort", stop);
  });
}

async function endSomehow(part: Part, claim: Claim): Promise<void> {
  const chance = part.random();
  const { meter } = part;
  if (chance < 0.7) await meter.attempt("end", () => claim.complete({ chance }));
  else if (chance < 0.85) await meter.attempt("end", () => claim.fail(new Error("it fails")));
  else if (chance < 0.95) await meter.attempt("end", () => claim.release());
}

/** Creates a task at an even pace, claims it by `claim` or `next`, completes it, and measures each operation. */
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
