/** The options for giving a task back: when it can be claimed again, and why it was given back. */
import type { RequestInput } from "../protocol/operations.ts";
import { z } from "zod";
import { number, optionSchema } from "./check-options.ts";

/** When a task that is given back can be claimed again, and why it was given back. */
export interface ReleaseOptions {
  /**
   * No session can claim the task for so many seconds, up to 2,592,000 (30 days). Default: it can be
   * claimed at once. Name this or `resumeAt`.
   */
  readonly delaySeconds?: number;
  /** No session can claim the task before this time: a `Date`, or an ISO-8601 time. */
  readonly resumeAt?: Date | string;
  /** Why, up to 1,024 characters. It becomes the reason of the task's event. */
  readonly cause?: string;
}

/** What is asked for in the request that ends a claim. */
export interface EndOptions {
  /**
   * Also take the next task, in the same request, if the session is not asking for one already. The loop
   * over the claims gets it without another request. If the loop ends before, the task goes back to the
   * pool. Default false.
   */
  readonly next?: boolean;
}

/** How an attempt has failed. */
export interface FailOptions extends EndOptions {
  /** Whether another attempt may follow. Default true. */
  readonly retry?: boolean;
}

export const END_OPTIONS = optionSchema<EndOptions>({ next: z.boolean() });
export const FAIL_OPTIONS = optionSchema<FailOptions>({
  ...END_OPTIONS.shape,
  retry: z.boolean(),
});

export const RELEASE_OPTIONS = optionSchema<ReleaseOptions>({
  delaySeconds: number,
  resumeAt: z.union([z.date(), z.string()], "must be a valid Date or an ISO-8601 time"),
  cause: z.string(),
});

export const RELEASE_CLAIM_OPTIONS = optionSchema<ReleaseOptions & EndOptions>({
  ...RELEASE_OPTIONS.shape,
  ...END_OPTIONS.shape,
});

type ReleaseFields = Pick<RequestInput<"tasks.release">, "delay_seconds" | "resume_at" | "cause">;

type Given = { readonly [K in keyof ReleaseOptions]: ReleaseOptions[K] | undefined };

/** The options in the fields of a request. */
export function releaseFields({ delaySeconds, resumeAt, cause }: Given): ReleaseFields {
  return {
    ...(delaySeconds === undefined ? {} : { delay_seconds: delaySeconds }),
    ...(resumeAt === undefined
      ? {}
      : { resume_at: resumeAt instanceof Date ? resumeAt.toISOString() : resumeAt }),
    ...(cause === undefined ? {} : { cause }),
  };
}
