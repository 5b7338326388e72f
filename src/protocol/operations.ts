/** The table of operations: everything that a client can ask of the service, and who may ask it. */
import { z } from "zod";
import { allowNullOptions } from "./null-fields.ts";
import * as replies from "./replies.ts";
import * as requests from "./requests.ts";
import type { Operation } from "./operation-names.ts";

export {
  type Operation,
  OPERATION_IDS,
  OPERATION_NAMES,
  type OperationId,
} from "./operation-names.ts";

export interface OperationDefinition {
  readonly summary: string;
  readonly request: z.ZodType;
  /** A body that is accepted, for error messages. */
  readonly example: object;
  readonly reply: z.ZodType;
  /** Refused to agents: their requests arrive below `agent.<name>`. */
  readonly operatorsOnly?: true;
}

export const OPERATIONS = {
  "tasks.create": {
    summary: "Create a task; the worker makes an id if none is given",
    request: requests.create,
    example: { title: "Say hello" },
    reply: replies.edited,
  },
  "tasks.import": {
    summary: "Create many tasks, all validated first",
    request: requests.importTasks,
    example: { tasks: [{ task_id: "P0.5.1", title: "Say hello" }] },
    reply: replies.importTasks,
    operatorsOnly: true,
  },
  "tasks.claim": {
    summary: "Claim a task by its id",
    request: requests.claim,
    example: { session_id: "session-1" },
    reply: replies.claim,
  },
  "tasks.next": {
    summary: "Claim the best ready tasks, and wait for one if asked to",
    request: requests.next,
    example: { session_id: "session-1", wait_seconds: 30 },
    reply: replies.next,
  },
  "tasks.renew": {
    summary: "Renew the lease of a claim",
    request: requests.renew,
    example: { session_id: "session-1", attempt: 1 },
    reply: replies.renew,
  },
  "tasks.release": {
    summary: "End a claim as complete, failed or available, and claim the next tasks if asked to",
    request: requests.release,
    example: { session_id: "session-1", attempt: 1, status: "complete" },
    reply: replies.release,
  },
  "tasks.get": {
    summary: "Read a task",
    request: requests.noFields,
    example: {},
    reply: replies.get,
  },
  "tasks.list": {
    summary: "List tasks in order of creation",
    request: requests.list,
    example: { status: "available" },
    reply: replies.list,
  },
  "tasks.history": {
    summary: "List the records of a task that the bucket still has",
    request: requests.history,
    example: {},
    reply: replies.history,
  },
  "tasks.changes": {
    summary: "List what changed after a revision",
    request: requests.changes,
    example: { since: 0 },
    reply: replies.changes,
  },
  "tasks.verify": {
    summary: "Say whether a claim still holds a task",
    request: requests.verify,
    example: { session_id: "session-1", attempt: 1 },
    reply: replies.verify,
  },
  "tasks.update": {
    summary: "Change the definition of a task that is not finished",
    request: requests.update,
    example: { priority: 1 },
    reply: replies.edited,
  },
  "tasks.cancel": {
    summary: "Cancel a task; its holder is asked to stop",
    request: requests.cancel,
    example: { reason: "no longer needed" },
    reply: replies.task,
  },
  "tasks.requeue": {
    summary: "Return a finished task, or the task of a dead holder, to the pool",
    request: requests.requeue,
    example: { reason: "the cause is fixed" },
    reply: replies.task,
    operatorsOnly: true,
  },
  "tasks.stats": {
    summary: "Count tasks, leases and sessions",
    request: requests.noFields,
    example: {},
    reply: replies.stats,
  },
  "sessions.register": {
    summary: "Register a session and its capabilities",
    request: requests.register,
    example: { capabilities: ["review"] },
    reply: replies.register,
  },
  "sessions.heartbeat": {
    summary: "Renew a session and every lease that it holds",
    request: requests.heartbeat,
    example: { claims: [{ task_id: "P0.5.1", attempt: 1 }] },
    reply: replies.heartbeat,
  },
  "sessions.list": {
    summary: "List the registered sessions",
    request: requests.listSessions,
    example: { prefix: "session-" },
    reply: replies.listSessions,
  },
  "sessions.unregister": {
    summary: "End a session and return its claims to the pool",
    request: requests.unregister,
    example: {},
    reply: replies.unregister,
  },
} as const satisfies Record<Operation, OperationDefinition>;

/** A validated body of a request, with every default filled in. */
export type Request<O extends Operation> = z.output<(typeof OPERATIONS)[O]["request"]>;
/** The body of a request as the client writes it: the fields that `docs/protocol.md` lists. */
export type RequestInput<O extends Operation> = z.input<(typeof OPERATIONS)[O]["request"]>;
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
