/** A `next` request as the parts of the service pass it on. */
import type { Request } from "../protocol/operations.ts";
import type { ReadyFilter } from "../task/ready-queue.ts";
import { connectionOf } from "./connection-key.ts";
import type { Call, ConnectionId } from "./ports.ts";

export interface NextRequest {
  readonly sessionId: string;
  /** Who is charged for it: the principal or the connection. */
  readonly sender: string;
  /** The process of the session that asks; `null`: the request does not name it. */
  readonly instance: string | null;
  readonly ttlSeconds: number | undefined;
  /** How many tasks to claim at most. */
  readonly max: number;
  readonly filter: ReadyFilter;
  /** The client's own name for the request, the same when it sends the request again. */
  readonly requestId: string | null;
  /** Whether the request waits for a task. */
  readonly isParked: boolean;
  /** The claims end when this connection is lost; `null`: only when their time is over. */
  readonly connection: ConnectionId | null;
  /** Who asks; `null`: the NATS server does not say. */
  readonly principal: string | null;
  /** As `Call.client`; `null`: the NATS server does not say. */
  readonly client: string | null;
  /** Whether the client still waits for the answer; left out if that cannot be found out. */
  readonly isListening: (() => Promise<boolean>) | undefined;
  /** What the reply holds in addition to the claims, if that can be large. */
  readonly besides: object | undefined;
}

/** What a `next` has in addition to its body. */
export type Asker = Pick<NextRequest, "sender" | "principal"> &
  Pick<Call, "place"> &
  Partial<Pick<NextRequest, "isListening" | "besides">> &
  Pick<Call, "client">;

/** The request before it is parked. `capabilities`: those of the session and those that the body names. */
export function toNextRequest(
  body: Request<"tasks.next">,
  capabilities: readonly string[],
  { sender, client, isListening, besides, principal }: Asker,
): NextRequest {
  return {
    sessionId: body.session_id,
    sender,
    instance: body.instance ?? null,
    ttlSeconds: body.ttl_seconds,
    max: body.max,
    filter: { capabilities, tags: body.tags, prefix: body.prefix },
    requestId: body.request_id ?? null,
    isParked: false,
    connection: connectionOf(body.release_on_disconnect),
    principal,
    client,
    isListening,
    besides,
  };
}

/**
 * What the record of a claim keeps of its request (`claim_request`). With it any worker finds the claim
 * when the request is sent again. A request without an id can only be repeated if it was parked.
 */
export function claimRequestOf({ sessionId, requestId, isParked }: NextRequest): string | null {
  return requestId === null && !isParked ? null : repeatKeyOf(sessionId, requestId);
}

/**
 * The text by which a repeated request finds its claim: its id or, without one, its session.
 *
 * It is in stored records and must not change. It is compared and never taken apart, because a client
 * may choose any `request_id`, also one that begins with `parked:`.
 */
export function repeatKeyOf(sessionId: string, requestId: string | null): string {
  return requestId ?? `parked:${sessionId}`;
}
