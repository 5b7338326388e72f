/** The requests of a claim, in the name of the session that holds it. */
import type { Connection } from "../nats/connection.ts";
import type { Reply, RequestInput } from "../protocol/operations.ts";
import type { Logger } from "./logger.ts";
import type { CallOptions } from "./call-options.ts";
import type { Connected } from "./connection-field.ts";
import type { TaskClient } from "./task-client.ts";
import type { TaskError } from "./task-error.ts";

export type Claimed = Reply<"tasks.next">["claims"][number];

/** Which task the session wants next. */
export type NextWanted = NonNullable<Connected<"tasks.release">["next"]>;

/** What a claim needs of the session that made it. */
export interface ClaimOwner {
  readonly sessionId: string;
  readonly instance: string;
  readonly tasks: TaskClient;
  readonly connection: Connection;
  readonly logger: Logger;
  /**
   * Called once: the lease need not be renewed any longer. Unless the end is acknowledged, the
   * coordinator may not know of it.
   */
  ended(isAcknowledged: boolean): void;
  /** The task to take in the request that ends the claim; `undefined`: the session wants none now. */
  nextWanted(): NextWanted | undefined;
  /** The tasks that came with the end of the claim. */
  came(claims: readonly Claimed[]): void;
  /** Another instance has the session: this one no longer owns anything that it claimed. */
  replaced(error: TaskError): void;
}

/** How a claim ends, without the fields that identify the claim. */
export type ClaimEnd = Omit<
  RequestInput<"tasks.release">,
  "session_id" | "instance" | "attempt" | "next"
>;

/** How long after the end of the lease an answer to an earlier request still counts. */
const GRACE_MS = 15_000;

export class ClaimRequests {
  readonly #owner: ClaimOwner;
  readonly #taskId: string;
  readonly #holder: { session_id: string; instance: string; attempt: number };
  readonly #releaseOptions: CallOptions;

  constructor(owner: ClaimOwner, { task, attempt, lease }: Claimed) {
    this.#owner = owner;
    this.#taskId = task.task_id;
    const { sessionId: session_id, instance } = owner;
    this.#holder = { session_id, instance, attempt };
    this.#releaseOptions = { deadlineMs: lease.ttl_seconds * 1000 + GRACE_MS };
  }

  /** Returns the claims of the next tasks, if some are wanted. @throws TaskError */
  async end(end: ClaimEnd, next: NextWanted | undefined): Promise<readonly Claimed[]> {
    const input = { ...this.#holder, ...end, ...(next === undefined ? {} : { next }) };
    const { tasks, logger } = this.#owner;
    const released = await tasks.release(this.#taskId, input, this.#releaseOptions);
    const { claims = [], error } = released.next ?? {};
    // The session asks again, and is told then.
    if (error !== undefined) logger.debug(`no task came after ${this.#taskId}: ${error.message}`);
    return claims;
  }

  /** @throws TaskError; the signal's reason */
  async report(progress: unknown, signal: AbortSignal): Promise<void> {
    await this.#owner.tasks.renew(this.#taskId, { ...this.#holder, progress }, { signal });
  }
}
