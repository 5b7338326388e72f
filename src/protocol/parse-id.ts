/** Checks the id at the end of a subject, for workers and for clients. */
import { CoordinatorError } from "./errors.ts";
import { type Operation, OPERATION_IDS, type OperationId } from "./operation-names.ts";
import { shorten } from "./shorten.ts";
import { idRuleFor, isValidId } from "./subjects.ts";

/**
 * Checks the id at the end of a request's subject; `undefined` if there is none and none is needed.
 *
 * @throws CoordinatorError `invalid_request`
 */
export function parseId<O extends Operation>(operation: O, id: string): OperationId<O>;
export function parseId(operation: Operation, id: string): string | undefined {
  const wanted = OPERATION_IDS[operation];
  const kind = operation.startsWith("sessions.") ? "session" : "task";
  if (id === "") {
    if (wanted !== "required") return undefined;
    throw new CoordinatorError(
      "invalid_request",
      `the ${kind} id is missing: send the request to ${operation}.<${kind}_id>`,
    );
  }
  if (wanted === "none") {
    throw new CoordinatorError(
      "invalid_request",
      `${operation} takes no id: send the request to ${operation} itself`,
    );
  }
  if (!isValidId(id)) {
    throw new CoordinatorError(
      "invalid_request",
      `${kind}_id: "${shorten(id)}" is not a ${kind} id: use ${idRuleFor(id)}`,
      { details: { field: `${kind}_id` } },
    );
  }
  return id;
}
