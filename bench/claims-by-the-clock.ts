/**
 * Claims that come by the clock, whether earlier ones are answered or not, as those of many sessions do.
 * It does as little as can be for each: whoever offers more than can be done shares the cores with it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";

const TICK_MS = 5;
/** For what is still to be answered when all is sent. */
const PATIENCE_MS = 60_000;
const BODY = Buffer.from(JSON.stringify({ session_id: "crowd", ttl_seconds: 3_600 }));
const SUCCESS = Buffer.from('{"ok":true');

export interface Offered {
  /** As they were really sent. */
  readonly offeredPerSecond: number;
  /** Until the last one was answered. */
  readonly seconds: number;
  /** Milliseconds of those that were answered with success. */
  readonly succeeded: readonly number[];
  readonly overloaded: number;
  readonly failed: number;
}

export class ClaimsByTheClock {
  readonly #connection: NatsConnection;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  async offer(taskIds: readonly string[], perSecond: number): Promise<Offered> {
    const inbox = `${createInbox()}.`;
    const sentAt: number[] = [];
    const succeeded: number[] = [];
    let [overloaded, failed, answered] = [0, 0, 0];
    const subscription = this.#connection.subscribe(`${inbox}*`, {
      callback: (_error, message) => {
        const at = sentAt[Number(message.subject.slice(inbox.length))] ?? NaN;
        answered++;
        if (isSuccess(message)) succeeded.push(performance.now() - at);
        else if (message.headers?.get("Nats-Service-Error") === "overloaded") overloaded++;
        else failed++;
      },
    });
    const from = performance.now();
    while (sentAt.length < taskIds.length) {
      const due = Math.min(taskIds.length, ((performance.now() - from) * perSecond) / 1000);
      while (sentAt.length < due) {
        const n = sentAt.push(performance.now()) - 1;
        const subject = `tasks.claim.${taskIds[n] ?? ""}`;
        this.#connection.publish(subject, BODY, { reply: `${inbox}${n}` });
      }
      await delay(TICK_MS);
    }
    const sending = (performance.now() - from) / 1000;
    const until = performance.now() + PATIENCE_MS;
    while (answered < taskIds.length && performance.now() < until) await delay(TICK_MS);
    subscription.unsubscribe();
    return {
      offeredPerSecond: taskIds.length / sending,
      seconds: (performance.now() - from) / 1000,
      ...{ succeeded, overloaded },
      failed: failed + taskIds.length - answered,
    };
  }
}

function isSuccess({ data }: Msg): boolean {
  return SUCCESS.equals(data.subarray(0, SUCCESS.length));
}
