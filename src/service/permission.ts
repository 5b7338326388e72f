/** Who sends a request, which session it speaks for, and whether its sender may send it. */
import { CoordinatorError } from "../protocol/errors.ts";
import { type OperationDefinition, OPERATIONS } from "../protocol/operations.ts";
import { formatPrincipal, type Principal } from "../protocol/subjects.ts";
import type { Call } from "./ports.ts";

/** The session that sends the request or that it is about; `undefined` if it names none. */
export function sessionOf({ operation, id, body }: Call): string | undefined {
  if (operation.startsWith("sessions.")) return id;
  return "session_id" in body ? body.session_id : undefined;
}

/** Whom events name; `null`: the NATS server does not say who sends the request. */
export function textOf(principal: Principal | null): string | null {
  return principal === null ? null : formatPrincipal(principal);
}

/** Whom a task that the request creates names as its creator, and the event as its cause. */
export function authorOf(call: Call): Author {
  const principal = textOf(call.principal);
  const session = sessionOf(call);
  return {
    principal,
    createdBy: principal ?? (session === undefined ? null : `session.${session}`),
  };
}

export interface Author {
  readonly principal: string | null;
  /** The principal, or the session that the request names; `null` if it names none. */
  readonly createdBy: string | null;
}

export function isSessionOf(session: string, { name }: Principal): boolean {
  return session === name || session.startsWith(`${name}.`);
}

/**
 * Operators may do everything. An agent speaks for its own sessions only: the session has the name of the agent
 * or begins with `<name>.`
 *
 * @param principalsOnly whether a client without a principal is refused; otherwise it is an operator
 * @throws CoordinatorError `forbidden`
 */
export function requirePermission(call: Call, principalsOnly: boolean): void {
  const { operation, principal } = call;
  if (principal === null) {
    if (!principalsOnly) return;
    throw new CoordinatorError(
      "forbidden",
      `${operation} is for agents and operators with an account of their own: use their credentials`,
    );
  }
  if (principal.role === "operator") return;
  const definition: OperationDefinition = OPERATIONS[operation];
  if (definition.operatorsOnly === true) {
    throw new CoordinatorError("forbidden", `${operation} is for operators only: ask one to do it`);
  }
  const session = sessionOf(call);
  if (session === undefined || isSessionOf(session, principal)) return;
  const { name } = principal;
  throw new CoordinatorError(
    "forbidden",
    `session_id: ${session} does not belong to ${name}: use ${name} or ${name}.<name>`,
    { details: { field: "session_id" } },
  );
}
