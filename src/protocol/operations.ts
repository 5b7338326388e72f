/** The table of operations: everything that a client can ask of the service, and who may ask it. */
import { z } from "zod";
import { allowNullOptions } from "./null-fields.ts";
import * as replies from "./replies.ts";
import * as requests from "./requests.ts";
import type { SubjectRoot } from "./subjects.ts";

export interface OperationDefinition {
  readonly summary: string;
  /** Whether the subject ends in an id: of a task below `tasks`, of a session below `sessions`. */
  readonly id: "required" | "optional" | "none";
  readonly request: z.ZodType;
  /** A body that is accepted, for error messages. */
  readonly example: object;
  readonly reply: z.ZodType;
  /** Refused to agents: their requests arrive below `agent.<principal>`. */
  readonly operatorsOnly?: true;
}

export const OPERATIONS = {
  "tasks.create": {
    summary: "Create a task; the worker makes an id if none is given",
    id: "optional",
    request: requests.create,
    example: { title: "Say hello" },
    reply: replies.edited,
  },
  "tasks.import": {
    summary: "Create many tasks, all validated first",
    id: "none",
    request: requests.importTasks,
    example: { tasks: [{ task_id: "P0.5.1", title: "Say hello" }] },
    reply: replies.importTasks,
    operatorsOnly: true,
  },
  "tasks.claim": {
    summary: "Claim a task by its id",
    id: "required",
    request: requests.claim,
    example: { session_id: "session-1" },
    reply: replies.claim,
  },
  "tasks.next": {
    summary: "Claim the best ready tasks, and wait for one if asked to",
    id: "none",
    request: requests.next,
    example: { session_id: "session-1", wait_seconds: 30 },
    reply: replies.next,
  },
  "tasks.renew": {
    summary: "Renew the lease of a claim",
    id: "required",
    request: requests.renew,
    example: { session_id: "session-1", attempt: 1 },
    reply: replies.renew,
  },
  "tasks.release": {
    summary: "End a claim as complete, failed or available",
    id: "required",
    request: requests.release,
    example: { session_id: "session-1", attempt: 1, status: "complete" },
    reply: replies.task,
  },
  "tasks.get": {
    summary: "Read a task",
    id: "required",
    request: requests.noFields,
    example: {},
    reply: replies.get,
  },
  "tasks.list": {
    summary: "List tasks in order of creation",
    id: "none",
    request: requests.list,
    example: { status: "available" },
    reply: replies.list,
  },
  "tasks.history": {
    summary: "List the records of a task that the bucket still has",
    id: "required",
    request: requests.history,
    example: {},
    reply: replies.history,
  },
  "tasks.changes": {
    summary: "List what changed after a revision",
    id: "none",
    request: requests.changes,
    example: { since: 0 },
    reply: replies.changes,
  },
  "tasks.verify": {
    summary: "Say whether a claim still holds a task",
    id: "required",
    request: requests.verify,
    example: { session_id: "session-1", attempt: 1 },
    reply: replies.verify,
  },
  "tasks.update": {
    summary: "Change the definition of a task that is not finished",
    id: "required",
    request: requests.update,
    example: { priority: 1 },
    reply: replies.edited,
  },
  "tasks.cancel": {
    summary: "Cancel a task; its holder is asked to stop",
    id: "required",
    request: requests.cancel,
    example: { reason: "no longer needed" },
    reply: replies.task,
  },
  "tasks.requeue": {
    summary: "Return a finished task, or the task of a dead holder, to the pool",
    id: "required",
    request: requests.requeue,
    example: { reason: "the cause is fixed" },
    reply: replies.task,
    operatorsOnly: true,
  },
  "tasks.stats": {
    summary: "Count tasks, leases and sessions",
    id: "none",
    request: requests.noFields,
    example: {},
    reply: replies.stats,
  },
  "sessions.register": {
    summary: "Register a session and its capabilities",
    id: "required",
    request: requests.register,
    example: { capabilities: ["review"] },
    reply: replies.register,
  },
  "sessions.heartbeat": {
    summary: "Renew a session and every lease that it holds",
    id: "required",
    request: requests.heartbeat,
    example: { claims: [{ task_id: "P0.5.1", attempt: 1 }] },
    reply: replies.heartbeat,
  },
  "sessions.list": {
    summary: "List the registered sessions",
    id: "none",
    request: requests.listSessions,
    example: { prefix: "session-" },
    reply: replies.listSessions,
  },
  "sessions.unregister": {
    summary: "End a session and return its claims to the pool",
    id: "required",
    request: requests.unregister,
    example: {},
    reply: replies.unregister,
  },
} as const satisfies Record<`${SubjectRoot}.${string}`, OperationDefinition>;

/**
 * What the coordinator can be asked.
 *
 * @useDeclaredType
 */
export type Operation = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as Operation[];

/** A validated body of a request, with every default filled in. */
export type Request<O extends Operation> = z.output<(typeof OPERATIONS)[O]["request"]>;
/** The body of a request as the client writes it: the fields that `docs/protocol.md` lists. */
export type RequestInput<O extends Operation> = z.input<(typeof OPERATIONS)[O]["request"]>;
/** The id at the end of a request's subject, where the operation has one. */
export type OperationId<O extends Operation> = {
  readonly required: string;
  readonly optional: string | undefined;
  readonly none: undefined;
}[(typeof OPERATIONS)[O]["id"]];
/** The reply to an operation: the fields that `docs/protocol.md` lists. */
export type Reply<O extends Operation> = z.output<(typeof OPERATIONS)[O]["reply"]>;

/** The version of the protocol, which the service announces with the NATS service protocol. */
export const PROTOCOL_VERSION = "1.0.0";

/**
 * The JSON Schemas of an operation, for the metadata of its endpoint and for the documentation. A request
 * may have no other fields. A reply may: a later version may add some.
 */
export function schemasOf(operation: Operation): { request: object; reply: object } {
  const { request, reply } = OPERATIONS[operation];
  return {
    request: z.toJSONSchema(request, {
      io: "input",
      unrepresentable: "any",
      override: ({ jsonSchema }) => {
        allowNullOptions(jsonSchema);
      },
    }),
    reply: z.toJSONSchema(reply, {
      io: "output",
      unrepresentable: "any",
      override: ({ jsonSchema }) => {
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    }),
  };
}
