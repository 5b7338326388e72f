/** Requests that name the connection on which they are sent. */
import type { ConnectionFields } from "../protocol/fields.ts";
import type { Operation, RequestInput } from "../protocol/operations.ts";

/**
 * The body of a request in which `release_on_disconnect: true` stands for the connection of the event bus:
 * the one on which it is sent, also when it is sent again on another one.
 */
export type Connected<
  O extends "tasks.claim" | "tasks.next" | "tasks.renew" | "sessions.heartbeat",
> = Omit<RequestInput<O>, "release_on_disconnect"> & {
  /** Whose loss is to end the claim; `true`: that of the connection on which this is sent. */
  readonly release_on_disconnect?: RequestInput<O>["release_on_disconnect"] | boolean;
};

/** What can be given for the body of a request. */
export type Body<O extends Operation> =
  | RequestInput<O>
  | (O extends "tasks.claim" | "tasks.next" | "tasks.renew" | "sessions.heartbeat"
      ? Connected<O>
      : never);

/**
 * The body as it is sent on the connection `own`. A connection that is not known is not named: then the
 * lease only expires.
 */
export function nameConnection(body: object, own: ConnectionFields | undefined): object {
  if (!("release_on_disconnect" in body)) return body;
  const { release_on_disconnect: named, ...rest } = body;
  if (typeof named !== "boolean") return body;
  return named && own !== undefined ? { ...rest, release_on_disconnect: own } : rest;
}
