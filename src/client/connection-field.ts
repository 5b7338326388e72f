/** Requests that name the connection on which they are sent. */
import type { ConnectionFields } from "../protocol/fields.ts";
import type { RequestInput } from "../protocol/operations.ts";

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

/** What is to be sent on the connection. One that is not known is not named: then the lease only expires. */
export function naming<I extends object>(input: I, own: ConnectionFields | undefined): I {
  if (!("release_on_disconnect" in input)) return input;
  const { release_on_disconnect: named, ...rest } = input;
  if (typeof named !== "boolean") return input;
  return (named && own !== undefined ? { ...rest, release_on_disconnect: own } : rest) as I;
}
