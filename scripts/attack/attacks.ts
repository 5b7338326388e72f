/** What the attacker does, each by a name. Everything is a valid request of its own principal. */
import type { Attack } from "./attack.ts";
import { ATTACKER } from "./set-up.ts";

const KIB = 1024;
/** The largest list of tags, and of capabilities, and the longest name in it. */
const [MOST_NAMES, LONGEST_NAME] = [256, 256];

export type AttackName = keyof typeof ATTACKS;

const SESSION = { session_id: ATTACKER } as const;
const text = (body: object): Buffer => Buffer.from(JSON.stringify(body));

function longNames(kind: string): string[] {
  return Array.from({ length: MOST_NAMES }, (_, i) => `${kind}${i}.`.padEnd(LONGEST_NAME, "x"));
}

export const ATTACKS = {
  none: async (attack: Attack) => {
    await attack.inLoops(1, () => new Promise((resolve) => setTimeout(resolve, 50)));
  },

  changes: async (attack: Attack) => {
    await attack.inLoops(4, () => attack.ask("tasks.changes", { since: 0, limit: 1000 }, 30_000));
  },

  parked: async (attack: Attack) => {
    const body = { ...SESSION, wait_seconds: 60, prefix: "nothing." };
    await attack.flood(() => ["tasks.next", text(body)], { count: 20_050 });
    await attack.inLoops(1, () => new Promise((resolve) => setTimeout(resolve, 50)));
  },

  "wide filters": async (attack: Attack) => {
    const filter = { tags: longNames("tag"), capabilities: longNames("can") };
    const [before, after] = text({ ...SESSION, wait_seconds: 60, ...filter, prefix: "N" })
      .toString()
      .split('"N"');
    // The JSON is made once: the attacker spends its time on sending.
    await attack.flood((i) => ["tasks.next", Buffer.from(`${before}"nothing.${i}."${after}`)], {
      count: 20_000,
    });
    await attack.inLoops(1, () => new Promise((resolve) => setTimeout(resolve, 50)));
  },

  "large tasks": async (attack: Attack) => {
    const payload = { text: "x".repeat(60 * KIB) };
    await attack.inLoops(16, (i) => attack.ask(`tasks.create.${ATTACKER}.${i}`, { payload }));
  },

  "small requests": async (attack: Attack) => {
    const empty = Buffer.from("{}");
    await attack.flood(() => [`tasks.get.${ATTACKER}`, empty]);
  },

  "bodies of 64 KiB": async (attack: Attack) => {
    const body = text({ payload: "x".repeat(63 * KIB), title: 1 });
    await attack.flood((i) => [`tasks.create.${ATTACKER}.${i}`, body]);
  },

  "bodies of 1 MiB": async (attack: Attack) => {
    const body = text({ payload: "x".repeat(1024 * KIB - 200), title: 1 });
    await attack.flood((i) => [`tasks.create.${ATTACKER}.${i}`, body]);
  },

  "no reply subject": async (attack: Attack) => {
    const empty = Buffer.from("{}");
    await attack.flood(() => [`tasks.get.${ATTACKER}`, empty], { hasReply: false });
  },

  "many waiters": async (attack: Attack) => {
    const body = (i: number): object => ({
      session_id: `${ATTACKER}.${i}`,
      ...{ wait_seconds: 60, prefix: "work.", ttl_seconds: 24 * 60 * 60 },
    });
    await attack.flood((i) => ["tasks.next", text(body(i))], { count: 1_000 });
    await attack.inLoops(1, () => new Promise((resolve) => setTimeout(resolve, 50)));
  },
} satisfies Readonly<Record<string, (attack: Attack) => Promise<void>>>;
