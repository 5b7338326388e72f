/** The messages of someone who means harm and knows the protocol, of which none may change anything. */
import fc from "fast-check";
import type { Operation } from "../../src/protocol/operations.ts";
import { expectationOf } from "../fuzz/expectation.ts";
import { messages } from "../fuzz/generator.ts";
import type { FuzzMessage } from "../fuzz/message.ts";

const MAX_PAYLOAD = 64 * 1024;

/** What these do when a request is valid depends on the tasks and sessions that there are. */
const CHANGING: ReadonlySet<Operation> = new Set([
  ...(["tasks.create", "tasks.import", "tasks.next"] as const),
  ...(["sessions.register", "sessions.unregister"] as const),
]);

/** As many as asked for at most, as a seed has them. */
export function garbage(seed: number, count: number): FuzzMessage[] {
  const arbitrary = messages({ maxPayload: MAX_PAYLOAD });
  return fc.sample(arbitrary, { seed, numRuns: count }).filter(isHarmless);
}

/** It is refused as it is, or it asks for a task that only the fuzz has. */
function isHarmless(message: FuzzMessage): boolean {
  const expected = expectationOf(message);
  if (expected.kind !== "answer") return expected.kind !== "left out";
  return !CHANGING.has(expected.operation) || expected.codes.length === 1;
}
