/** Attacks that take what others need: tasks, and the time for which they are held. */
import { setTimeout as delay } from "node:timers/promises";
import type { Asker } from "../asker.ts";
import type { Row, Scene } from "../row.ts";
import { ATTACKER, HONEST } from "../set-up.ts";
import type { Finding } from "../verdict.ts";

const TASKS = 500;
/** Of each honest principal. */
const WAITERS = 100;
/** Low, so that 500 tasks reach it. */
const MOST_CLAIMS = 200;
const LONGEST_LEASE_SECONDS = 3_600;
const SETTLE_MS = 300;

/** Asks for one task in each of many sessions at once. Resolves to the number of tasks. */
async function waitInSessions(asker: Asker, name: string, waitSeconds: number): Promise<number> {
  const claims = await Promise.all(
    Array.from({ length: WAITERS }, async (_, i) => {
      const body = { session_id: `${name}.w${i}`, prefix: "work.", wait_seconds: waitSeconds };
      const { body: answer } = await asker.ask("tasks.next", body, 60_000);
      return ((answer.claims ?? []) as unknown[]).length;
    }),
  );
  return claims.reduce((sum, count) => sum + count, 0);
}

interface Claimed {
  readonly task_id: string;
  readonly claimed_by: string | null;
}

async function shareOut(scene: Scene): Promise<readonly Finding[]> {
  const { operator, ms } = scene;
  const seconds = Math.max(1, ms / 1000 - 1);
  const askers = await Promise.all(HONEST.map((name) => scene.connect(name)));
  // The attacker was first.
  await delay(SETTLE_MS);
  const waits = askers.map((asker, i) => waitInSessions(asker, HONEST[i] ?? "", seconds));
  await delay(SETTLE_MS);
  const tasks = Array.from({ length: TASKS }, (_, i) => ({ task_id: `work.${i}` }));
  await operator.must("tasks.import", { tasks });
  const taken = await Promise.all(waits);
  const { tasks: claimed } = await operator.must("tasks.list", {
    ...{ status: "claimed", prefix: "work.", limit: 1_000 },
  });
  const held = (claimed as readonly Claimed[]).filter(({ claimed_by: by }) =>
    by?.startsWith(`${ATTACKER}.`),
  );
  const example = held[0];
  const lease = example === undefined ? 0 : await leaseSecondsOf(operator, example.task_id);
  const seen = HONEST.map((name, i) => `${name} ${taken[i] ?? 0}`).join(", ");
  const mostClaims = {
    promise: `one principal holds at most ${MOST_CLAIMS} tasks (limits.claims_per_principal)`,
    holds: held.length <= MOST_CLAIMS,
    seen: `${held.length}`,
  };
  return [
    // Without accounts, nobody knows which sessions belong together.
    ...(scene.mode === "secured" ? [mostClaims] : []),
    {
      promise: `tasks go round over the principals: each honest one gets ${WAITERS} of ${TASKS}`,
      holds: taken.every((count) => count === WAITERS),
      seen: `${seen}, ${ATTACKER} ${held.length}`,
    },
    {
      promise: `no lease is longer than ${LONGEST_LEASE_SECONDS} s (limits.lease_seconds)`,
      holds: lease <= LONGEST_LEASE_SECONDS,
      seen: `${Math.round(lease)} s`,
    },
  ];
}

/** What is left of the lease. */
async function leaseSecondsOf(operator: Asker, taskId: string): Promise<number> {
  const { body } = await operator.ask(`tasks.get.${taskId}`, {});
  const { lease } = body as { readonly lease?: { readonly expires_at?: string } | null };
  const ends = Date.parse(lease?.expires_at ?? "");
  return Number.isNaN(ends) ? 0 : (ends - Date.now()) / 1000;
}

export const FAIRNESS: readonly Row[] = [
  {
    name: "many-waiters",
    does: "waits for tasks in 1,000 sessions, and holds what it gets for 24 h",
    attack: "many waiters",
    settings: {
      "limits.claims_per_principal": MOST_CLAIMS,
      "limits.lease_seconds": LONGEST_LEASE_SECONDS,
    },
    during: shareOut,
  },
];
