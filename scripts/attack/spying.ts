/**
 * The attack on what an agent may not see: it asks for the tasks of others in every way, and listens on every
 * subject. What arrives is searched for the marks of marks.ts. Answers about a hidden task are also compared
 * with those about a task that does not exist.
 */
import { isDeepStrictEqual } from "node:util";
import type { Asked } from "./asker.ts";
import type { Attack, LeakKind } from "./attack.ts";
import {
  BAIT,
  CONTENT,
  DEFINITION,
  KNOWN_IDS,
  KNOWN_SESSION,
  KNOWN_TAG,
  UNKNOWN_ID,
} from "./marks.ts";
import { ATTACKER, HONEST, OPERATOR } from "./set-up.ts";

type Request = readonly [subject: string, body: object];
type Body = Asked["body"];

const [OWNER] = HONEST;
const OWN = { session_id: ATTACKER } as const;
const HELD = { ...OWN, attempt: 1 } as const;
const NO_TASK = "nobody.claimed";
const [A_TASK = ""] = KNOWN_IDS;
const MARKS: readonly (readonly [LeakKind, string])[] = [
  ["content", CONTENT],
  ["definition", DEFINITION],
];

const LISTENED = [
  ...["task-updates.>", "tasks.>", "sessions.>", "agent.>", "operator.>", "audit.>"],
  ...["$KV.>", "$JS.>", "$SRV.>", "_INBOX.>", ">"],
];

/** Answers to valid requests of the attacker. */
const REQUESTS: readonly Request[] = [
  ...KNOWN_IDS.flatMap((id): Request[] => [
    [`tasks.get.${id}`, {}],
    [`tasks.history.${id}`, {}],
    [`tasks.history.${id}`, { since: 1, limit: 1 }],
    [`tasks.verify.${id}`, HELD],
    [`tasks.create.${id}`, {}],
    [`tasks.claim.${id}`, OWN],
    [`tasks.claim.${id}`, { ...OWN, capabilities: ["any"], instance: "i" }],
    [`tasks.renew.${id}`, HELD],
    [`tasks.release.${id}`, { ...HELD, status: "complete" }],
    [`tasks.release.${id}`, { ...HELD, status: "failed", next: { prefix: "hidden." } }],
    [`tasks.update.${id}`, { title: "stolen", revision: 1 }],
    [`tasks.cancel.${id}`, { ...OWN, force: true }],
    [`tasks.requeue.${id}`, OWN],
    [`tasks.update.${BAIT}`, { depends_on: [id] }],
    [`tasks.get.${BAIT}`, {}],
    [`tasks.claim.${BAIT}`, OWN],
  ]),
  [`tasks.create.${BAIT}`, {}],
  // The id in other letters, for which a worker could suggest the right one.
  [`tasks.update.${BAIT}`, { depends_on: [UNKNOWN_ID.toUpperCase()] }],
  ["tasks.import", { tasks: KNOWN_IDS.map((task_id) => ({ task_id })) }],
  ...[{}, { limit: 1 }, { prefix: "hidden." }, { tags: [KNOWN_TAG] }, { dead_end: true }].map(
    (filter): Request => ["tasks.list", filter],
  ),
  ["tasks.list", { claimed_by: KNOWN_SESSION }],
  ["tasks.list", { created_by: `agent.${OWNER}` }],
  ["tasks.list", { status: ["claimed", "complete", "failed", "cancelled", "blocked"] }],
  ["tasks.changes", { since: 0, limit: 1_000 }],
  ["tasks.changes", { since: 0, limit: 1 }],
  ["tasks.next", { ...OWN, prefix: "hidden." }],
  ["tasks.next", { ...OWN, tags: [KNOWN_TAG], request_id: `parked:${KNOWN_SESSION}` }],
  ["tasks.next", { session_id: KNOWN_SESSION, prefix: "hidden." }],
  ["tasks.stats", {}],
  ["sessions.list", {}],
  ["sessions.list", { prefix: OWNER }],
  [`sessions.register.${KNOWN_SESSION}`, {}],
  [`sessions.register.${ATTACKER}`, {}],
  [
    `sessions.heartbeat.${ATTACKER}`,
    { claims: KNOWN_IDS.map((task_id) => ({ task_id, attempt: 1 })) },
  ],
  [`sessions.heartbeat.${KNOWN_SESSION}`, {}],
];

/** The attacker listens everywhere, so NATS does not tell it that nobody else does. */
const UNANSWERED_MS = 300;
/** From the NATS server itself: the account has no streams. */
const NO_JETSTREAM = 503;

/** Subjects that are not for agents. Any answer of others is a leak. */
const UNREACHABLE: readonly Request[] = [
  ["$JS.API.STREAM.NAMES", {}],
  ...["tasks", "leases", "sessions", "principals"].flatMap((bucket): Request[] => [
    [`$JS.API.STREAM.INFO.KV_${bucket}`, {}],
    [`$JS.API.STREAM.MSG.GET.KV_${bucket}`, { seq: 1 }],
    [`$JS.API.DIRECT.GET.KV_${bucket}`, { seq: 1 }],
    [`$JS.API.CONSUMER.CREATE.KV_${bucket}`, { stream_name: `KV_${bucket}`, config: {} }],
  ]),
  [`$JS.API.DIRECT.GET.KV_tasks.$KV.tasks.${A_TASK}`, {}],
  ["$JS.API.STREAM.MSG.GET.AUDIT", { seq: 1 }],
  ["$SRV.INFO", {}],
  [`agent.${OWNER}.tasks.get.${A_TASK}`, {}],
  [`agent.${OWNER}.tasks.list`, {}],
  [`operator.${OPERATOR}.tasks.get.${A_TASK}`, {}],
];

/** Requests about hidden things, and the same about what does not exist: the answers must be equal. */
const ALIKE: readonly {
  readonly about: Request;
  readonly likewise: Request;
  /** What is compared. Default: everything but the name. */
  readonly of?: (body: Body) => unknown;
}[] = [
  ...(
    [
      ["get", {}],
      ["history", {}],
      ["verify", HELD],
      ["update", { title: "stolen" }],
      ["cancel", OWN],
    ] as const
  ).flatMap(([operation, body]) =>
    KNOWN_IDS.map((id) => ({
      about: [`tasks.${operation}.${id}`, body] as const,
      likewise: [`tasks.${operation}.${NO_TASK}`, body] as const,
    })),
  ),
  ...(
    [
      [{ prefix: "hidden." }, { prefix: "nobody." }],
      [{ tags: [KNOWN_TAG] }, { tags: ["none"] }],
    ] as const
  ).flatMap(([filter, none]) => [
    // Honest sessions claim and complete tasks meanwhile, but have no others that are blocked.
    {
      about: ["tasks.next", { ...OWN, ...filter }] as const,
      likewise: ["tasks.next", { ...OWN, ...none }] as const,
      of: ({ reasons }: Body) => (reasons as { readonly blocked?: number }).blocked,
    },
    {
      about: ["tasks.list", filter] as const,
      likewise: ["tasks.list", none] as const,
      of: ({ tasks, next_cursor }: Body) => [tasks, next_cursor],
    },
  ]),
  {
    about: ["sessions.list", { prefix: KNOWN_SESSION }],
    likewise: ["sessions.list", { prefix: "nobody" }],
  },
];

export async function spy(attack: Attack): Promise<void> {
  listenEverywhere(attack);
  const { connection } = attack.asker;
  await connection.flush();
  await attack.ask(`tasks.create.${BAIT}`, {});
  await attack.inLoops(1, async () => {
    for (const [subject, body] of REQUESTS) {
      search(attack, JSON.stringify((await attack.ask(subject, body)).body), subject);
      if (attack.isOver) return;
    }
    for (const [subject, body] of UNREACHABLE) {
      const { body: answer } = await attack.ask(subject, body, UNANSWERED_MS);
      if (isFromOthers(answer)) attack.leak("reach", subject);
    }
    for (const pair of ALIKE) await compare(attack, pair);
  });
}

function listenEverywhere(attack: Attack): void {
  for (const subject of LISTENED) {
    attack.asker.connection.subscribe(subject, {
      callback: (error, message) => {
        const [root = ""] = message.subject.split(".");
        if (error === null) search(attack, message.string(), `the subject ${root}.>`);
      },
    });
  }
}

function search(attack: Attack, text: string, where: string): void {
  for (const [kind, mark] of MARKS) if (text.includes(mark)) attack.leak(kind, where);
}

function isFromOthers(answer: Body): boolean {
  const { error } = answer as { readonly error?: { readonly code?: unknown } };
  return Object.keys(answer).length > 0 && error?.code !== NO_JETSTREAM;
}

async function compare(attack: Attack, pair: (typeof ALIKE)[number]): Promise<void> {
  const { about, likewise, of = (body: Body) => body } = pair;
  const [one, other] = [await attack.ask(...about), await attack.ask(...likewise)];
  const isAlike =
    one.outcome === "ok"
      ? isDeepStrictEqual(of(one.body), of(other.body))
      : named(one.body, about) === named(other.body, likewise);
  if (!isAlike) attack.leak("existence", `${about[0]} ${JSON.stringify(about[1])}`);
}

/** The answer without the id that the request names. */
function named(body: Body, [subject]: Request): string {
  const id = subject.split(".").slice(2).join(".");
  return JSON.stringify(body).replaceAll(id, "");
}
