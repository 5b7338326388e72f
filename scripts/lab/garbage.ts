/** Messages of an attacker that knows the protocol. None of them may change anything. */
import { AGENT_PAYLOAD, HOSTILE } from "./accounts.ts";
import { RECORDED } from "../fuzz/damage.ts";
import fc from "fast-check";
import type { Operation } from "../../src/protocol/operations.ts";
import { expectationOf } from "../fuzz/expectation.ts";
import { messages, messagesOf } from "../fuzz/generator.ts";
import type { FuzzMessage } from "../fuzz/message.ts";

const MAX_PAYLOAD = 64 * 1024;

/** What a valid request of these does depends on the tasks and sessions that exist. */
const CHANGING: ReadonlySet<Operation> = new Set([
  ...(["tasks.create", "tasks.import", "tasks.next"] as const),
  ...(["sessions.register", "sessions.unregister"] as const),
]);

/** At most `count` messages. The same seed gives the same messages. */
export function garbage(seed: number, count: number): FuzzMessage[] {
  const arbitrary = messages({ maxPayload: MAX_PAYLOAD });
  return fc.sample(arbitrary, { seed, numRuns: count }).filter(isHarmless);
}

/**
 * What an agent with an account of its own sends: garbage, and valid requests for the tasks and the sessions of
 * others.
 *
 * @param sessions of the run, whose tasks are `<session>.<number>`
 */
export function hostileGarbage(
  seed: number,
  count: number,
  sessions: readonly string[],
): FuzzMessage[] {
  const usual = fc.sample(messagesOf(HOSTILE, AGENT_PAYLOAD), { seed, numRuns: count });
  const stolen = fc.sample(requestsOfOthers(sessions), { seed, numRuns: count });
  return usual.filter(isHarmless).flatMap((message, i) => [message, ...stolen.slice(i, i + 1)]);
}

/** In the name of another session, or what only operators may do. */
function requestsOfOthers(sessions: readonly string[]): fc.Arbitrary<FuzzMessage> {
  const names = [...OTHERS_TASKS, ...OTHERS_SESSIONS];
  return fc
    .record({
      operation: fc.constantFrom(...names),
      session: fc.constantFrom(...sessions),
      number: fc.integer({ min: 1, max: MOST_TASKS }),
      attempt: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ operation, session, number, attempt }): FuzzMessage => {
      const isOfSession = (OTHERS_SESSIONS as readonly string[]).includes(operation);
      const id = isOfSession ? session : `${session}.${number}`;
      const recorded = JSON.parse(RECORDED[operation]) as Record<string, unknown>;
      const body = {
        ...recorded,
        ...("session_id" in recorded && { session_id: session }),
        ...("attempt" in recorded && { attempt }),
      };
      const payload = Buffer.from(JSON.stringify(body));
      const subject = operation === "tasks.next" ? operation : `${operation}.${id}`;
      const source = "of others";
      return { source, agent: HOSTILE, reply: "inbox", headers: null, subject, payload };
    });
}

const OTHERS_TASKS = [
  ...(["tasks.claim", "tasks.next", "tasks.renew", "tasks.release"] as const),
  ...(["tasks.requeue", "tasks.cancel", "tasks.update"] as const),
];
const OTHERS_SESSIONS = [
  ...(["sessions.register", "sessions.heartbeat", "sessions.unregister"] as const),
];
const MOST_TASKS = 60;

/** Whether it is refused in any case, or names a task that exists only in a fuzz run. */
function isHarmless(message: FuzzMessage): boolean {
  const expected = expectationOf(message);
  if (expected.kind !== "answer") return expected.kind !== "left out";
  return !CHANGING.has(expected.operation) || expected.codes.length === 1;
}
