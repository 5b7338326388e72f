/** What the attacker does, each by a name. Everything is a valid request of its own principal. */
import { setTimeout as delay } from "node:timers/promises";
import type { Attack } from "./attack.ts";
import { ATTACKER } from "./set-up.ts";
import { spy } from "./spying.ts";

const KIB = 1024;
/** The largest list of tags, and of capabilities, and the longest name in it. */
const [MOST_NAMES, LONGEST_NAME] = [256, 256];

export type AttackName = keyof typeof ATTACKS;

/** Tasks of the dense graph, and as many dependencies as fit into a record. */
const [GRAPH, MOST_EDGES] = [3_000, 2_500];
/** Tasks of each layer of a graph in which each task depends on all of the layer below. */
export const LAYER = 400;

interface Claim {
  readonly task: { readonly task_id: string };
  readonly attempt: number;
}

const SESSION = { session_id: ATTACKER } as const;
const text = (body: object): Buffer => Buffer.from(JSON.stringify(body));

function longNames(kind: string): string[] {
  return Array.from({ length: MOST_NAMES }, (_, i) => `${kind}${i}.`.padEnd(LONGEST_NAME, "x"));
}

/**
 * More than ten times of what a worker can answer. A client that writes to the socket itself can send several times
 * as much, and then the NATS server has no time for others.
 */
const FLOOD_PER_SECOND = 130_000;

/** The connection stays, so what the attacker has parked stays as well. */
async function untilOver(attack: Attack): Promise<void> {
  await attack.inLoops(1, () => delay(50));
}

export const ATTACKS = {
  changes: async (attack: Attack) => {
    await attack.inLoops(4, () => attack.ask("tasks.changes", { since: 0, limit: 1000 }, 30_000));
  },

  parked: async (attack: Attack) => {
    // In many sessions, because each has a limit of its own.
    const body = (i: number): object => ({
      session_id: `${ATTACKER}.${i % 1_000}`,
      ...{ wait_seconds: 60, prefix: "nothing." },
    });
    await attack.flood((i) => ["tasks.next", text(body(i))], { count: 20_050 });
    // Each of these is refused, which must not cost more than the request.
    await attack.flood((i) => ["tasks.next", text(body(i))], { perSecond: 5_000 });
  },

  "wide filters": async (attack: Attack) => {
    // Every second one is below the limit of a filter, and above it are those that cost most.
    const filters = [MOST_NAMES, 7].map((count) => ({
      tags: longNames("tag").slice(0, count),
      capabilities: longNames("can").slice(0, count),
    }));
    // The JSON is made once, because the attacker spends its time on sending.
    const bodies = filters.map((filter) => {
      const whole = JSON.stringify({ wait_seconds: 60, ...filter }).slice(0, -1);
      return (i: number): Buffer =>
        Buffer.from(`${whole},"session_id":"${ATTACKER}.${i % 1_000}","prefix":"nothing.${i}."}`);
    });
    await attack.flood((i) => ["tasks.next", bodies[i % 2]?.(i) ?? Buffer.from("{}")], {
      count: 20_000,
    });
    await untilOver(attack);
  },

  "large tasks": async (attack: Attack) => {
    const payload = { text: "x".repeat(60 * KIB) };
    await attack.inLoops(16, (i) =>
      attack.ask(`tasks.create.${ATTACKER}.${i}`, { ...SESSION, payload }),
    );
  },

  history: async (attack: Attack) => {
    const payload = { text: "x".repeat(60 * KIB) };
    const ids = Array.from({ length: 8 }, (_, i) => `${ATTACKER}.${i}`);
    for (const id of ids) await attack.ask(`tasks.create.${id}`, { payload });
    attack.begin();
    await attack.inLoops(ids.length, async (i) => {
      const id = ids[i % ids.length] ?? "";
      await attack.ask(`tasks.claim.${id}`, SESSION);
      await attack.ask(`tasks.release.${id}`, { ...SESSION, status: "available" });
    });
  },

  results: async (attack: Attack) => {
    const result = "x".repeat(60 * KIB);
    await attack.inLoops(8, async () => {
      const { body } = await attack.ask("tasks.next", { ...SESSION, prefix: "work." });
      for (const { task, attempt } of (body.claims ?? []) as readonly Claim[]) {
        const end = { ...SESSION, attempt, status: "complete" };
        const { outcome } = await attack.ask(`tasks.release.${task.task_id}`, { ...end, result });
        if (outcome !== "ok") await attack.ask(`tasks.release.${task.task_id}`, end);
      }
    });
  },

  "small requests": async (attack: Attack) => {
    const empty = Buffer.from("{}");
    await attack.flood(() => [`tasks.get.${ATTACKER}`, empty], { perSecond: FLOOD_PER_SECOND });
  },

  "bodies of 64 KiB": async (attack: Attack) => {
    const body = text({ payload: "x".repeat(63 * KIB), title: 1 });
    await attack.flood((i) => [`tasks.create.${ATTACKER}.${i}`, body]);
  },

  "bodies of 1 MiB": async (attack: Attack) => {
    const body = text({ payload: "x".repeat(1024 * KIB - 200), title: 1 });
    await attack.flood((i) => [`tasks.create.${ATTACKER}.${i}`, body]);
    await untilOver(attack);
  },

  "no reply subject": async (attack: Attack) => {
    const empty = Buffer.from("{}");
    const flood = { hasReply: false, perSecond: FLOOD_PER_SECOND };
    await attack.flood(() => [`tasks.get.${ATTACKER}`, empty], flood);
  },

  "many waiters": async (attack: Attack) => {
    const body = (i: number): object => ({
      session_id: `${ATTACKER}.${i}`,
      ...{ wait_seconds: 60, prefix: "work." },
      // Every second one asks for no more than it may have.
      ttl_seconds: i % 2 === 0 ? 24 * 60 * 60 : 60 * 60,
    });
    await attack.flood((i) => ["tasks.next", text(body(i))], { count: 1_000 });
    await untilOver(attack);
  },

  updates: async (attack: Attack) => {
    const stolen = { title: "stolen", payload: { stolen: true } };
    const bodies = [stolen, { depends_on: [`${ATTACKER}.never`] }];
    const ids = ["alice.kept", "bob.kept", "plan.open"];
    await attack.inLoops(2, async (i) => {
      const id = ids[i % ids.length] ?? "";
      for (const body of bodies) {
        await attack.ask(`tasks.update.${id}`, body);
        await attack.ask(`tasks.update.${id}`, { ...body, ...SESSION });
      }
      await attack.ask(`tasks.cancel.${id}`, { ...SESSION, reason: "not needed" });
    });
  },

  "taken ids": async (attack: Attack) => {
    await attack.inLoops(1, (i) => attack.ask(`tasks.create.alice.plan.${i}`, { title: "taken" }));
  },

  forbidden: async (attack: Attack) => {
    await attack.ask("tasks.requeue.plan.cancelled", {});
    await attack.ask("tasks.import", { tasks: [{ task_id: "plan.mine" }] });
    await attack.ask("tasks.claim.alice.kept", { session_id: "alice" });
    await attack.ask("sessions.register.bob", {});
    await attack.ask("sessions.unregister.alice", {});
    await untilOver(attack);
  },

  spying: spy,

  "dense graph": async (attack: Attack) => {
    const ids = Array.from({ length: GRAPH }, (_, i) => `${ATTACKER}.g${i}`);
    await attack.inLoops(16, async (i) => {
      const place = i % GRAPH;
      const depends_on = ids.slice(Math.max(0, place - MOST_EDGES), place);
      // The second time round, the first tasks are made to depend on the last ones, in a circle.
      if (i < GRAPH) await attack.ask(`tasks.create.${ids[place] ?? ""}`, { depends_on });
      else await attack.ask(`tasks.update.${ids[place] ?? ""}`, { depends_on: ids.slice(-1_000) });
    });
  },

  cycles: async (attack: Attack) => {
    const layer = (name: string): string[] =>
      Array.from({ length: LAYER }, (_, i) => `${ATTACKER}.${name}${i}`);
    const create = (id: string, depends_on: readonly string[]): Promise<unknown> =>
      attack.ask(`tasks.create.${id}`, { depends_on }, 30_000);
    const middle = layer("middle");
    for (const id of layer("below")) await create(id, layer("bottom"));
    for (const id of layer("top")) await create(id, middle);
    for (const id of layer("roof")) await create(id, layer("top"));
    attack.begin();
    // Each is refused after a long search for a way from all that is below to all that is above. Most of a larger
    // number at once would be refused before it.
    const some = middle.slice(0, LAYER / 2);
    await attack.inLoops(1, () => Promise.all(some.map((id) => create(id, layer("below")))));
  },

  "unique tags": async (attack: Attack) => {
    let tag = 0;
    const tags = (): string[] => Array.from({ length: MOST_NAMES }, () => `tag-${tag++}`);
    const all = Array.from({ length: 160 }, tags);
    const filters = all.map((some) => ({ tags: some.slice(0, 16), capabilities: some }));
    let created = 0;
    const create = async (): Promise<void> => {
      while (created < all.length) {
        const number = created++;
        const body = { tags: all[number], requires: [`${ATTACKER}-only`] };
        await attack.ask(`tasks.create.${ATTACKER}.t${number}`, body);
      }
    };
    await Promise.all(Array.from({ length: 16 }, create));
    attack.begin();
    await attack.inLoops(200, (i) =>
      attack.ask("tasks.next", { ...SESSION, ...filters[i % filters.length] }),
    );
  },

  heartbeats: async (attack: Attack) => {
    const claims: { readonly task_id: string; readonly attempt: number }[] = [];
    for (let i = 0; i < 10; i++) {
      const { body } = await attack.ask("tasks.next", { ...SESSION, prefix: "beat.", max: 100 });
      const taken = (body.claims ?? []) as readonly Claim[];
      claims.push(...taken.map(({ task, attempt }) => ({ task_id: task.task_id, attempt })));
    }
    await attack.ask(`sessions.register.${ATTACKER}`, {});
    const beat = text({ claims });
    attack.begin();
    await attack.flood(() => [`sessions.heartbeat.${ATTACKER}`, beat]);
  },
} satisfies Readonly<Record<string, (attack: Attack) => Promise<void>>>;
