/** Workers of the library and loops over claims, and whoever makes the tasks for them. */
import type { Claim } from "../../src/client/claim.ts";
import { PermanentError, type TaskContext } from "../../src/client/task-handler.ts";
import { happens, type Part, repeatedly, rest } from "./client.ts";

/** What the two kinds take, so that neither leaves the other without tasks. */
const PREFIXES = { work: "work.", claims: "claims." } as const;
const TTL_SECONDS = 2;
/** A request that is parked for as long as this ends when there is a task, mostly. */
const WAIT_SECONDS = 5;
const CONCURRENCY = 3;
const PORTION = 20;
const STOP_MS = 1_000;

/** Keeps some tasks ready, no more: what is finished is followed by as much. */
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

/** Works for a while, stops in good order or just goes, and comes back as somebody else. */
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
    // Rejects only for a refusal, which is a defect of this load or of the coordinator.
    await Promise.race([rest(part, 10, 60), worker.done]);
    if (happens(part, 0.7)) await worker.stop({ deadlineMs: STOP_MS });
    else await client.vanish();
  });
}

/** Succeeds, fails, fails for good, or hangs for longer than its lease, and does not listen. */
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

/** A loop over claims, which ends each in one of the ways there are, or forgets about it. */
export function loopOverClaims(part: Part): Promise<void> {
  let visits = 0;
  return repeatedly(part, async ({ coordinator }) => {
    const session = `${part.id}.${++visits}`;
    const options = { session, prefix: PREFIXES.claims, ttlSeconds: TTL_SECONDS, waitSeconds: 1 };
    const until = performance.now() + 10_000 + part.random() * 30_000;
    // As long as it holds a claim that it has forgotten about it is not idle, and the last task may come
    // before the load ends.
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
