/** What a request names, for the log and the audit. */
import { formatPrincipal, type Principal } from "../protocol/subjects.ts";
import type { Call, Fact } from "../service/ports.ts";

type RequestFact = Extract<Fact, { kind: "request" }>;

/** @param call `null` if the request was refused before it was read */
export function namesIn(
  principal: Principal | null,
  call: Call | null,
): Pick<RequestFact, "principal" | "id" | "sessionId" | "attempt"> {
  const who = principal === null ? null : formatPrincipal(principal);
  if (call === null) return { principal: who, id: null, sessionId: null, attempt: null };
  const { id = null, body } = call;
  return {
    principal: who,
    id,
    sessionId: "session_id" in body ? (body.session_id ?? null) : null,
    attempt: "attempt" in body ? (body.attempt ?? null) : null,
  };
}
