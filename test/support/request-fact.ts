/** The fact of a request, for tests of its listeners. */
import type { Fact } from "../../src/service/ports.ts";

export type RequestFact = Extract<Fact, { kind: "request" }>;

/** A successful claim, apart from what the test says. */
export function requestFact(fields: Partial<RequestFact> = {}): RequestFact {
  return {
    kind: "request",
    operation: "tasks.claim",
    outcome: "ok",
    seconds: 0.000123,
    claimedAtOnce: (fields.outcome ?? "ok") === "ok",
    principal: null,
    id: null,
    sessionId: null,
    attempt: null,
    ...fields,
  };
}
