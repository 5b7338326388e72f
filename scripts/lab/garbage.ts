/** Messages of an attacker that knows the protocol. None of them may change anything. */
import fc from "fast-check";
import type { Operation } from "../../src/protocol/operations.ts";
import { expectationOf } from "../fuzz/expectation.ts";
import { messages } from "../fuzz/generator.ts";
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

/** Whether it is refused in any case, or names a task that exists only in a fuzz run. */
function isHarmless(message: FuzzMessage): boolean {
  const expected = expectationOf(message);
  if (expected.kind !== "answer") return expected.kind !== "left out";
  return !CHANGING.has(expected.operation) || expected.codes.length === 1;
}
