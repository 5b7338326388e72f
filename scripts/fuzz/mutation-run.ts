/** Sends requests that change something, and compares what the buckets hold then with what was sent. */
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { CHANGEABLE_FIELDS } from "../../src/protocol/definition-record.ts";
import { Buckets, type Sequences } from "./bucket-state.ts";
import { AGENT, isValid, type Mutation, mutations, writesOf } from "./mutations.ts";
import { oversized } from "./oversized.ts";
import { type Problem, unattributed } from "./rounds.ts";
import { count, seedOfRound } from "./run.ts";
import { DEADLINE_MS, Sender, type Sent } from "./sender.ts";
import type { Target } from "./target.ts";
import { type Ask, askOver, untilLeased } from "./world.ts";

const ROUND = 500;
const SETTLE_MS = 100;
const PARALLEL = 50;

export interface MutationResult {
  readonly problems: readonly Problem[];
  readonly sent: number;
  readonly outcomes: ReadonlyMap<string, number>;
}

export async function runMutations(
  target: Target,
  options: { readonly seed: number; readonly messages: number; readonly deadlineMs?: number },
): Promise<MutationResult> {
  const { port, workers, connection } = target;
  const { seed, messages, deadlineMs = DEADLINE_MS } = options;
  const maxPayload = connection.info?.max_payload ?? 0;
  const buckets = await Buckets.open(connection);
  const ask = askOver(connection);
  await using sender = await Sender.open({ deadlineMs, port, workers });
  const problems: Problem[] = [];
  const outcomes = new Map<string, number>();
  let sent = 0;
  for (let round = 0; sent < messages && problems.length === 0; round++) {
    const numRuns = Math.min(ROUND, messages - sent);
    const made = fc.sample(mutations(), { seed: seedOfRound(seed, round), numRuns });
    // No id is the prefix of another.
    const usual = made.map((make, i) => make(`m${round}-${i}-`)).filter(isValid);
    const all = round === 0 ? [...usual, ...oversized(maxPayload)] : usual;
    await eachOf(all, (mutation) => prepare(ask, mutation));
    // A release removes the lease, so the lease must be there.
    await untilLeased(ask);
    const before = await settled(buckets);
    const answered = await sender.sendAll(
      all.map(({ message, operation, codes }) => {
        return { message, expected: { kind: "answer", operation, codes, heard: true } };
      }),
    );
    const wanted = sequencesAfter(before, all, answered);
    const after = await settled(buckets, { wanted, patienceMs: deadlineMs });
    if (String(after) !== String(wanted)) {
      const words = `${after.join(", ")} instead of ${wanted.join(", ")}`;
      problems.push(unattributed(`revisions of tasks, leases, sessions: ${words}`));
    }
    await eachOf(all, async (mutation, i) => {
      const one = answered[i];
      if (one === undefined) return;
      count(outcomes, `${mutation.operation} ${one.outcome}`);
      const what = one.problem ?? (await contentProblem(buckets, mutation, one));
      if (what !== null) problems.push({ what, number: null, message: mutation.message });
    });
    for (const { message = null, text } of sender.surplus()) {
      problems.push({ what: `more than one answer: ${text}`, number: null, message });
    }
    sent += numRuns;
  }
  problems.push(...(await target.facts()).alarms.map(unattributed));
  return { problems, sent, outcomes };
}

async function prepare(ask: Ask, { setup, id, session }: Mutation): Promise<void> {
  if (typeof setup === "function") {
    await setup(ask);
    return;
  }
  if (setup === "session") await ask(`sessions.register.${session}`, { ttl_seconds: 3_600 });
  if (setup === "session" || setup === "nothing") return;
  await ask(`${AGENT}tasks.create.${id}`);
  if (setup === "cancelled") await ask(`tasks.cancel.${id}`);
  if (setup === "claimed") {
    await ask(`tasks.claim.${id}`, { session_id: session, ttl_seconds: 3_600 });
  }
}

/** Resolves to the sequences when they no longer change, and are those that are wanted. */
async function settled(
  buckets: Buckets,
  meant?: { readonly wanted: Sequences; readonly patienceMs: number },
): Promise<Sequences> {
  const deadline = performance.now() + (meant?.patienceMs ?? 0);
  for (;;) {
    const before = await buckets.sequences();
    await delay(SETTLE_MS);
    const now = await buckets.sequences();
    const isThere = meant === undefined || String(now) === String(meant.wanted);
    if (String(before) === String(now) && (isThere || performance.now() > deadline)) return now;
  }
}

function sequencesAfter(
  before: Sequences,
  all: readonly Mutation[],
  answered: readonly Sent[],
): Sequences {
  let [tasks, leases, sessions] = before;
  for (const [i, mutation] of all.entries()) {
    const { outcome = "", json = null } = answered[i] ?? {};
    const writes = writesOf(mutation, outcome, json);
    tasks += writes[0];
    leases += writes[1];
    sessions += writes[2];
  }
  return [tasks, leases, sessions];
}

type Json = Readonly<Record<string, unknown>>;

/** Finds what the answer or the bucket does not contain as it was sent; `null`: nothing. */
async function contentProblem(
  buckets: Buckets,
  { operation, body }: Mutation,
  { outcome, json }: Sent,
): Promise<string | null> {
  if (outcome !== "ok" || json === null) return null;
  const task = json.task as Json | undefined;
  if (task !== undefined && typeof json.revision === "number") {
    const stored = await buckets.record(json.revision);
    if (stored !== JSON.stringify(task))
      return `answered ${JSON.stringify(task)}, stored ${stored ?? "-"}`;
  }
  const shown = task ?? (json.session as Json | undefined);
  // The fields of a claim's body are not those of the record.
  if (shown === undefined || operation === "tasks.claim") return null;
  for (const [name, value] of Object.entries(body)) {
    if (!STORED.has(name) || (operation === "tasks.release" && !isStored(name, body))) continue;
    if (isDeepStrictEqual(asJson(shown[name]), asJson(meant(name, value)))) continue;
    return `${name} was ${JSON.stringify(value)} and is ${JSON.stringify(shown[name])}`;
  }
  return null;
}

const STORED = new Set([...CHANGEABLE_FIELDS, ...["result", "error", "capabilities"]]);
const SETS = new Set(["depends_on", "requires", "tags", "capabilities"]);

/** The value of a field in a record. */
function meant(name: string, value: unknown): unknown {
  if (SETS.has(name)) return [...new Set(value as string[])];
  return name === "not_before" && value !== null ? new Date(value as string).toISOString() : value;
}

/** Whether a release stores the field. */
function isStored(name: string, { status }: Json): boolean {
  return (name === "result" && status === "complete") || (name === "error" && status === "failed");
}

/** JSON turns a negative zero into 0. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

async function eachOf<T>(
  items: readonly T[],
  act: (item: T, i: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const work = async (): Promise<void> => {
    for (const [i, item] of queue) await act(item, i);
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}
