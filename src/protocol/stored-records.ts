/** Leases and sessions as they are stored. */
import { z } from "zod";
import { inexactPart } from "./storable-json.ts";
import * as field from "./fields.ts";

export const leaseRecord = z.looseObject({
  session_id: field.sessionId,
  attempt: field.attempt,
  epoch: field.leaseEpoch.default(0),
  fencing_token: field.fencingToken,
  ttl_seconds: field.ttlSeconds,
  confirmed: z.boolean().default(false),
  progress: z.unknown().default(null),
  /** The connection whose loss ends the lease. One that cannot be read counts as none. */
  connection: field.connection.nullable().default(null).catch(null),
});
/** As it is written: a field that has its default is left out. */
export type LeaseRecord = z.input<typeof leaseRecord>;
export type ReadLeaseRecord = z.output<typeof leaseRecord>;

export const storedSession = z.looseObject({
  capabilities: field.capabilities.default([]),
  metadata: field.metadata.default({}),
  ttl_seconds: field.ttlSeconds,
  registered_at: field.time,
  instance: field.instance.optional(),
  replaced_instances: z.array(field.instance).optional(),
});
export type StoredSession = z.infer<typeof storedSession>;

/** The value as the schema reads it; `null` if it does not fit the schema or cannot be stored unchanged. */
export function readStored<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const { data } = schema.safeParse(JSON.parse(text));
    return data === undefined || inexactPart(text) !== null ? null : data;
  } catch {
    return null;
  }
}
