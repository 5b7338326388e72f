/** What a message trace (ADR-41) tells: how far a message came, or would come. */
import type { Msg } from "@nats-io/transport-node";

/**
 * Reply subjects that stand for one in another account begin so. The server subscribes to them itself, and
 * ends that with the first message, even if it is only traced.
 */
const OTHER_ACCOUNT = "_R_.";

export function isOfOtherAccount(replySubject: string): boolean {
  return replySubject.startsWith(OTHER_ACCOUNT);
}

/** One hop of a message. */
export interface TraceEvent {
  /** `in`: the server has received it; everything else: passed on. */
  readonly type: string;
  /** Of the connection: 0 is a client. */
  readonly kind: number;
  /** The queue group that it was passed on to. */
  readonly queue?: string;
}

/** `null`: it is no trace. */
export function eventsOf(msg: Msg): readonly TraceEvent[] | null {
  try {
    const { events } = msg.json<{ events?: readonly TraceEvent[] }>();
    return events === undefined || events.length === 0 ? null : events;
  } catch {
    return null;
  }
}

/** A trace that ends where the message came in: it was passed on to nobody, in no account. */
export function reachedNobody(msg: Msg): boolean {
  return eventsOf(msg)?.every(({ type }) => type === "in") === true;
}
