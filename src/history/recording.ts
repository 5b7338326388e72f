/** The requests and answers of all sessions of a run, and the updates, by one monotonic clock. */
import { TaskError } from "../client/task-error.ts";
import type { TaskUpdate } from "../client/task-update.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { TaskRecord } from "../protocol/task-record.ts";
import type { Operation } from "./linearizability.ts";
import type { Asked, Seen, TaskOperation, Told } from "./recorded-operation.ts";

/** An operation, with its task and its client. */
export interface RecordedOperation extends Operation<TaskOperation> {
  readonly taskId: string;
  readonly client: string;
}

/** A `next`. Only the bucket shows which task a `next` without an answer has claimed. */
export interface RecordedNext {
  readonly requestId: string;
  readonly sessionId: string;
  readonly instance: string;
  readonly ttlSeconds: number;
  readonly invokedAt: number;
  readonly returnedAt: number;
  /** The number of claims, or the code of a refusal, or "lost" for no answer. */
  readonly told: number | ErrorCode | "lost";
}

/** The registration of a process, which replaces another process of its session. */
export interface RecordedRegistration {
  readonly sessionId: string;
  readonly instance: string;
  readonly invokedAt: number;
  /** Infinite if no answer came. */
  readonly returnedAt: number;
}

/** An update, and when the subscriber received it, by the clock of the operations. */
export interface RecordedUpdate extends Pick<TaskUpdate, "task_id" | "type" | "revision" | "task"> {
  readonly toldAt: number;
  readonly transitions_missing: boolean;
}

export class Recording {
  readonly operations: RecordedOperation[] = [];
  readonly nexts: RecordedNext[] = [];
  readonly registrations: RecordedRegistration[] = [];
  readonly updates: RecordedUpdate[] = [];

  add({ task_id, type, revision, task, transitions_missing }: TaskUpdate): void {
    const toldAt = performance.now();
    this.updates.push({ task_id, type, revision, task, transitions_missing, toldAt });
  }

  /**
   * Carries an operation out and records it. Resolves to its reply, or to `null` without a success.
   * `shown`: what the operation turns out to be by its reply. Default: what was asked.
   */
  async run<T>(
    of: {
      readonly taskId: string;
      readonly client: string;
      readonly asked: Asked;
      readonly shown?: (reply: T) => Asked;
    },
    operation: () => Promise<T>,
    seen: (reply: T) => Seen | null,
  ): Promise<T | null> {
    const { asked, shown, ...who } = of;
    const invokedAt = performance.now();
    const add = (what: Asked, told: Told): void => {
      const returnedAt = told.kind === "unknown" ? Infinity : performance.now();
      this.operations.push({ ...who, op: { asked: what, told }, invokedAt, returnedAt });
    };
    try {
      const reply = await operation();
      add(shown?.(reply) ?? asked, { kind: "ok", seen: seen(reply) });
      return reply;
    } catch (error) {
      add(asked, toldBy(error));
      return null;
    }
  }
}

export function seenIn({ status, claimed_by, attempt }: TaskRecord): Seen {
  return { status, claimedBy: claimed_by, attempt };
}

/** @throws what is neither a refusal nor a lost answer, for example a defect of the worker */
function toldBy(error: unknown): Told {
  if (!(error instanceof TaskError)) throw error;
  if (error.code === "unavailable") {
    // No worker has received the request.
    if (error.details.problem === "no_responders") {
      return { kind: "refused", code: "overloaded", reason: null };
    }
    return { kind: "unknown" };
  }
  if (error.code === "internal") throw error;
  const { reason } = error.details;
  return { kind: "refused", code: error.code, reason: typeof reason === "string" ? reason : null };
}
