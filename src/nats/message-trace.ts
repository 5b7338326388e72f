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

/** A trace that ends where the message came in: it was passed on to nobody, in no account. */
export function reachedNobody(msg: Msg): boolean {
  try {
    const { events } = msg.json<{ events: { type: string }[] }>();
    return events.length > 0 && events.every(({ type }) => type === "in");
  } catch {
    return false;
  }
}
