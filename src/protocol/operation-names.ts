/** The names of the operations, and whether their subjects end in an id. `operations.ts` says the rest of each. */
import type { SubjectRoot } from "./subjects.ts";

/** Whether the subject ends in an id: of a task below `tasks`, of a session below `sessions`. */
export const OPERATION_IDS = {
  "tasks.create": "optional",
  "tasks.import": "none",
  "tasks.claim": "required",
  "tasks.next": "none",
  "tasks.renew": "required",
  "tasks.release": "required",
  "tasks.get": "required",
  "tasks.list": "none",
  "tasks.history": "required",
  "tasks.changes": "none",
  "tasks.verify": "required",
  "tasks.update": "required",
  "tasks.cancel": "required",
  "tasks.requeue": "required",
  "tasks.stats": "none",
  "sessions.register": "required",
  "sessions.heartbeat": "required",
  "sessions.list": "none",
  "sessions.unregister": "required",
} as const satisfies Record<`${SubjectRoot}.${string}`, "required" | "optional" | "none">;

/**
 * What the coordinator can be asked.
 *
 * @useDeclaredType
 */
export type Operation = keyof typeof OPERATION_IDS;
export const OPERATION_NAMES = Object.keys(OPERATION_IDS) as Operation[];

/** The id at the end of a request's subject, where the operation has one. */
export type OperationId<O extends Operation> = {
  readonly required: string;
  readonly optional: string | undefined;
  readonly none: undefined;
}[(typeof OPERATION_IDS)[O]];
