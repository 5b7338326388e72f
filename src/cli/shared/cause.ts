/** Who caused an event, in words for people. */
import type { EventRecord } from "../../protocol/task-event.ts";

/**
 * The session, and who sent the request if the session does not say it: `s1.2`, `operator.ann`, or
 * `s1.2 (operator.ann)` if somebody took the task from a session. `null`: nobody is named.
 */
export function causeOf({
  session_id,
  claimed_by,
  principal,
}: Pick<EventRecord, "session_id" | "claimed_by" | "principal">): string | null {
  if (principal === undefined) return session_id ?? claimed_by;
  if (session_id === null) return principal;
  const [, name = ""] = principal.split(".");
  const isOwn = session_id === name || session_id.startsWith(`${name}.`);
  return isOwn ? session_id : `${session_id} (${principal})`;
}
