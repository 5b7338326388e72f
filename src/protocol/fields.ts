/** Fields that several requests, records and replies have, each defined once, and their limits. */
import { z } from "zod";
import { RESERVED_REASONS } from "../task/task.ts";
import { isWireTime } from "./instants.ts";
import { idRuleFor, isValidId } from "./subjects.ts";

export const MIN_TTL_SECONDS = 1;
export const MAX_TTL_SECONDS = 24 * 60 * 60;
export const MAX_WAIT_SECONDS = 60;
/** How many tasks one `next` can claim. */
export const MAX_CLAIMS = 100;
export const MAX_PAGE = 1_000;
/** Of capabilities or of tags. */
export const MAX_NAMES = 256;
export const MAX_NAME_LENGTH = 256;
export const MAX_INSTANCE_LENGTH = 128;
export const MAX_AUTHOR_LENGTH = 512;
export const MAX_REQUEST_ID_LENGTH = 256;
export const MAX_SERVER_ID_LENGTH = 256;
export const MAX_DEPENDENCIES = 10_000;
/** The least urgent. */
export const MAX_PRIORITY = 4;
export const MAX_MAX_FAILURES = 1_000_000;
export const MAX_MAX_LOST_LEASES = 1_000_000;
/** For how long a release can put a task off: 30 days. */
export const MAX_DELAY_SECONDS = 30 * 24 * 60 * 60;
/** Size of the JSON in which a holder reports its progress. */
export const MAX_PROGRESS_BYTES = 4_096;

export const taskId = idOf("task").describe("Task id");
export const sessionId = idOf("session").describe("Session id");

export const instance = z
  .string()
  .min(1, "must not be empty")
  .max(MAX_INSTANCE_LENGTH)
  .describe("Which process of the session this is: a random text, another one for each process");

/** Of capabilities, or of tags. */
export const names = z
  .array(z.string().min(1, "must not be empty").max(MAX_NAME_LENGTH))
  .max(MAX_NAMES);

const PRIORITY_RULE = `must be between 0 (most urgent) and ${MAX_PRIORITY}`;
export const priority = z.int().min(0, PRIORITY_RULE).max(MAX_PRIORITY, PRIORITY_RULE);

const TTL_RULE = `must be between ${MIN_TTL_SECONDS} and ${MAX_TTL_SECONDS} seconds`;
export const ttlSeconds = z
  .int()
  .min(MIN_TTL_SECONDS, TTL_RULE)
  .max(MAX_TTL_SECONDS, TTL_RULE)
  .describe("Lease length in seconds");

export const attempt = z.int().min(0).describe("Number of the claim that is meant");
export const fencingToken = z
  .int()
  .min(0)
  .describe("Fencing token of the claim: the later of two claims has the higher token");
export const leaseEpoch = z.int().min(0).describe("How often the claim's lease was begun again");
export const revision = z.int().min(0).describe("Revision in the bucket `tasks`");
export const capabilities = names.describe("What the session can do");
export const wantedTags = names.describe("Only tasks that have all of these tags");
export const prefix = z.string().max(256).describe("Only ids that begin with this");
const PROTO = "__proto__";
/** The schema of an object would silently drop a field of this name, so it is refused before. */
export function hasProto(object: object): boolean {
  return Object.hasOwn(object, PROTO);
}
export const metadata = z
  .custom<Record<string, unknown>>(
    (given) => typeof given !== "object" || given === null || !hasProto(given),
    { error: `must not have a field named ${PROTO}: use another name` },
  )
  .meta({ type: "object", propertyNames: { type: "string" }, additionalProperties: {} })
  .pipe(z.record(z.string(), z.unknown()));
export const reason = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => !RESERVED_REASONS.includes(text), {
    error: "is reserved for events that the coordinator itself causes: use other words",
  })
  .describe("Why; kept in the task's event");

const CONNECTION_RULE =
  'must name your own NATS connection, as {"server_id":"NABC","client_id":7} with the server_id and ' +
  "the client_id of the INFO message that the NATS server sent you";
/** A client's connection, as its NATS server names it. */
export const connection = z
  .strictObject(
    {
      server_id: z
        .string({ error: CONNECTION_RULE })
        .min(1, CONNECTION_RULE)
        .max(MAX_SERVER_ID_LENGTH),
      client_id: z.int({ error: CONNECTION_RULE }).min(0),
    },
    { error: (issue) => (issue.code === "invalid_type" ? CONNECTION_RULE : undefined) },
  )
  .describe("Release the claim when this connection, which must be the client's own, is lost");
export type ConnectionFields = z.infer<typeof connection>;

/** A time on the wire: ISO-8601. Replies give it in UTC. */
export const time = z.iso
  .datetime({
    offset: true,
    error: "must be an ISO-8601 time with Z or an offset, such as 2025-11-12T17:30:00Z",
  })
  .refine((text) => isWireTime(Date.parse(text)), {
    error: "must be in the years 0 to 9999, in UTC",
  });
export const notBefore = time
  .nullable()
  .optional()
  .describe("Nobody can claim the task before this time");

function idOf(kind: "task" | "session"): z.ZodString {
  return z.string().refine(isValidId, {
    error: ({ input }) => `must be a ${kind} id: ${idRuleFor(String(input))}`,
  });
}
