/** Which session a request speaks for, and whether its sender may send it. */
import { CoordinatorError } from "../protocol/errors.ts";
import { type OperationDefinition, OPERATIONS } from "../protocol/operations.ts";
import type { Call } from "./ports.ts";

/** The session that sends the request or that it is about; `undefined` if it names none. */
export function sessionOf({ operation, id, body }: Call): string | undefined {
  if (operation.startsWith("sessions.")) return id;
  return "session_id" in body ? body.session_id : undefined;
}

/**
 * An agent comes in under a principal and speaks for the principal's sessions only: the session is the
 * principal itself or begins with `<principal>.`
 *
 * @throws CoordinatorError `forbidden`
 */
export function requirePermission(call: Call): void {
  const { operation, principal } = call;
  if (principal === null) return;
  const definition: OperationDefinition = OPERATIONS[operation];
  if (definition.operatorsOnly === true) {
    throw new CoordinatorError("forbidden", `${operation} is for operators only: ask one to do it`);
  }
  const session = sessionOf(call);
  if (session === undefined || session === principal || session.startsWith(`${principal}.`)) return;
  throw new CoordinatorError(
    "forbidden",
    `session_id: ${session} does not belong to ${principal}: use ${principal} or ${principal}.<name>`,
    { details: { field: "session_id" } },
  );
}
