/** Requests that name the connection on which they are sent. */
import type { ConnectionFields } from "../protocol/fields.ts";
import type { Operation, RequestInput } from "../protocol/operations.ts";

/**
 * The body of a request in which `release_on_disconnect: true` stands for the connection of the event bus.
 * If the request is sent again on another connection, it stands for that one.
 */
export type Connected<
  O extends "tasks.claim" | "tasks.next" | "tasks.renew" | "tasks.release" | "sessions.heartbeat",
> = O extends "tasks.release"
  ? Omit<RequestInput<O>, "next"> & {
      /** Then claim the next tasks: the fields of `next`, without those of the session. */
      readonly next?:
        | (Omit<NonNullable<RequestInput<O>["next"]>, "release_on_disconnect"> & {
            readonly release_on_disconnect?:
              NonNullable<RequestInput<O>["next"]>["release_on_disconnect"] | boolean;
          })
        | undefined;
    }
  : Omit<RequestInput<O>, "release_on_disconnect"> & {
      /** The connection whose loss ends the claim. `true`: the one on which this request is sent. */
      readonly release_on_disconnect?:
        RequestInput<Exclude<O, "tasks.release">>["release_on_disconnect"] | boolean;
    };

/** What can be given for the body of a request. */
export type Body<O extends Operation> =
  | RequestInput<O>
  | (O extends "tasks.claim" | "tasks.next" | "tasks.renew" | "tasks.release" | "sessions.heartbeat"
      ? Connected<O>
      : never);

/**
 * The body as it is sent on the connection `own`. If that connection is not known, the body names none,
 * and the claim ends only when its lease expires.
 */
export function nameConnection(body: object, own: ConnectionFields | undefined): object {
  if (!("release_on_disconnect" in body || "next" in body)) return body;
  const { next, release_on_disconnect: named, ...rest } = body as NamingFields;
  if (typeof named === "boolean") {
    return named && own !== undefined ? { ...rest, release_on_disconnect: own } : rest;
  }
  if (typeof next?.release_on_disconnect !== "boolean") return body;
  return { ...body, next: nameConnection(next, own) };
}

interface NamingFields {
  readonly release_on_disconnect?: RequestInput<"tasks.next">["release_on_disconnect"] | boolean;
  readonly next?: Pick<NamingFields, "release_on_disconnect"> | undefined;
}
