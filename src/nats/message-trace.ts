/** Reads message traces (ADR-41), which show who received a message, or would receive it. */
import type { Msg } from "@nats-io/transport-node";

/**
 * The prefix of reply subjects that stand for a subject of another account. The server itself subscribes to
 * such a subject, and unsubscribes after one message, even if that was only a trace.
 */
const OTHER_ACCOUNT = "_R_.";

export function isOfOtherAccount(replySubject: string): boolean {
  return replySubject.startsWith(OTHER_ACCOUNT);
}

/** One step of a message. */
export interface TraceEvent {
  /** `in`: a server received the message. Anything else: a server passed it on. */
  readonly type: string;
  /** The kind of the connection; 0 is a client. */
  readonly kind: number;
  /** The queue group that received the message. */
  readonly queue?: string;
}

/** The steps of a trace; `null` if the message is not a trace. */
export function eventsOf(msg: Msg): readonly TraceEvent[] | null {
  try {
    const { events } = msg.json<{ events?: readonly TraceEvent[] }>();
    return events === undefined || events.length === 0 ? null : events;
  } catch {
    return null;
  }
}

/** Whether the trace shows that no server passed the message on to anyone, in any account. */
export function reachedNobody(msg: Msg): boolean {
  return eventsOf(msg)?.every(({ type }) => type === "in") === true;
}
