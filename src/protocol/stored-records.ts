/** Leases and sessions as they are stored. */
import { z } from "zod";
import { inexactPart } from "./storable-json.ts";
import * as field from "./fields.ts";
import {
  type Check,
  checked,
  isFlag,
  isGiven,
  isId,
  isShort,
  isWhole,
  quickCheckOf,
  schemasOf,
} from "./quick-record-check.ts";

const isConnection = quickCheckOf({
  server_id: checked(z.string(), isShort(field.MAX_SERVER_ID_LENGTH)),
  client_id: checked(z.int(), isWhole(0)),
});

const LEASE_FIELDS = {
  session_id: checked(field.sessionId, isId),
  attempt: checked(field.attempt, isWhole(0)),
  epoch: checked(field.leaseEpoch.default(0), isWhole(0)),
  fencing_token: checked(field.fencingToken, isWhole(0)),
  ttl_seconds: checked(field.ttlSeconds, isWhole(field.MIN_TTL_SECONDS, field.MAX_TTL_SECONDS)),
  confirmed: checked(z.boolean().default(false), isFlag),
  progress: checked(z.unknown().default(null), isGiven),
  /** The connection whose loss ends the lease. One that cannot be read counts as none. */
  connection: checked(field.connection.nullable().catch(null).optional(), isConnection),
};
const leaseRecord = z.looseObject(schemasOf(LEASE_FIELDS));
/** As it is written: a field that has its default is left out. */
export type LeaseRecord = z.input<typeof leaseRecord>;
export type ReadLeaseRecord = z.output<typeof leaseRecord>;

const isLease = quickCheckOf(LEASE_FIELDS);

/** `null` if it does not fit the schema. A worker reads each lease that the others write. */
export function readLeaseRecord(text: string): ReadLeaseRecord | null {
  return readStored(leaseRecord, text, isLease);
}

export const storedSession = z.looseObject({
  capabilities: field.capabilities.default([]),
  metadata: field.metadata.default({}),
  ttl_seconds: field.ttlSeconds,
  registered_at: field.time,
  instance: field.instance.optional(),
  replaced_instances: z.array(field.instance).optional(),
});
export type StoredSession = z.infer<typeof storedSession>;

/**
 * The value as the schema reads it; `null` if it does not fit the schema or cannot be stored unchanged.
 * `isSure`: what it accepts, the schema leaves as it is.
 */
export function readStored<T>(schema: z.ZodType<T>, text: string, isSure?: Check): T | null {
  try {
    const json: unknown = JSON.parse(text);
    const data = isSure?.(json) === true ? (json as T) : schema.safeParse(json).data;
    return data === undefined || inexactPart(text) !== null ? null : data;
  } catch {
    return null;
  }
}
