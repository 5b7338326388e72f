/** How a task is given back without blame: when it can be claimed again, and why. */
import type { RequestInput } from "../protocol/operations.ts";
import type { OptionTypes } from "./check-options.ts";
import { invalidInput } from "./task-error.ts";

/** What is said of a task that is given back. */
export interface ReleaseOptions {
  /**
   * Nobody can claim the task for so many seconds, up to 2,592,000 (30 days). Default: it can be claimed
   * at once. Name this or `resumeAt`.
   */
  readonly delaySeconds?: number;
  /** Nobody can claim it before this time: a `Date`, or an ISO-8601 time. */
  readonly resumeAt?: Date | string;
  /** Why, up to 1,024 characters; kept as the reason of the task's event. */
  readonly cause?: string;
}

export const RELEASE_OPTIONS: OptionTypes<ReleaseOptions> = {
  delaySeconds: "number",
  resumeAt: "any",
  cause: "string",
};

type ReleaseFields = Pick<RequestInput<"tasks.release">, "delay_seconds" | "resume_at" | "cause">;

type Given = { readonly [K in keyof ReleaseOptions]: ReleaseOptions[K] | undefined };

/** @throws TaskError `invalid_request` */
export function releaseFields({ delaySeconds, resumeAt, cause }: Given): ReleaseFields {
  return {
    ...(delaySeconds === undefined ? {} : { delay_seconds: delaySeconds }),
    ...(resumeAt === undefined ? {} : { resume_at: toTime(resumeAt) }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function toTime(given: unknown): string {
  if (typeof given === "string") return given;
  if (given instanceof Date && !Number.isNaN(given.getTime())) return given.toISOString();
  throw invalidInput("resumeAt", "must be a valid Date or an ISO-8601 time");
}

const MAX_CAUSE_LENGTH = 1_024;

/**
 * Thrown by a handler: the task goes back to the pool, which is no failure. Its message becomes the
 * reason of the event `task_released`.
 *
 * @example
 * coordinator.work({ session: "session-1" }, async (task) => {
 *   const response = await fetch("https://example.org/generate", { method: "POST", body: task.title });
 *   if (response.status === 429) {
 *     throw new ReleaseError("the provider's quota is exhausted", { delaySeconds: 3600 });
 *   }
 *   return response.json();
 * });
 */
export class ReleaseError extends Error {
  /** For those who cannot use `instanceof`. */
  override readonly name = "ReleaseError";
  /** What is said of the release. */
  readonly options: ReleaseOptions;

  /** The message is the cause; without one, the event has no reason. */
  constructor(message = "", options: Omit<ReleaseOptions, "cause"> = {}) {
    super(message);
    const cause = message.slice(0, MAX_CAUSE_LENGTH);
    this.options = cause === "" ? options : { ...options, cause };
  }
}
