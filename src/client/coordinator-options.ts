/** The options of a coordinator and of its methods. */
import { z } from "zod";
import { CALL_OPTIONS, type CallOptions } from "./call-options.ts";
import { duration, number, objectOf, optionSchema, strings } from "./check-options.ts";
import type { Logger } from "./logger.ts";
import { RELEASE_OPTIONS, type ReleaseOptions } from "./release-options.ts";
import type { TaskRemoval } from "./task-update.ts";
import { SINCE, type Since, UPDATE_FILTER, type UpdateFilter } from "./update-filter.ts";

/** What a coordinator is made with. */
export interface CoordinatorOptions {
  /** Default for all calls, see `CallOptions`. */
  readonly timeoutMs?: number;
  /** Default for all calls, see `CallOptions`. */
  readonly deadlineMs?: number;
  /** Default: the logger of the event bus. With `console`, every request is logged. */
  readonly logger?: Logger;
}

/** How a task is claimed. */
export interface ClaimTaskOptions extends CallOptions {
  /** Length of the lease in seconds, 1 to 86,400. Default: the coordinator's, 300. */
  readonly ttlSeconds?: number;
  /** What the session can do, in addition to what it registered. */
  readonly capabilities?: readonly string[];
  /**
   * Give the task back when the connection of the event bus is lost, for example because this process
   * dies. After a reconnect, renew the lease at once with `release_on_disconnect: true`. Default false.
   */
  readonly releaseOnDisconnect?: boolean;
}

/** More about the end of a claim. A delay and a cause go with `available`. */
export interface ReleaseTaskOptions extends CallOptions, ReleaseOptions {
  /** The result, for `complete`. */
  readonly result?: unknown;
  /** The error, for `failed`. */
  readonly error?: unknown;
  /** For `failed`: whether another attempt may follow. Default true. */
  readonly retry?: boolean;
  /** Default: the attempt by which this process has claimed the task. */
  readonly attempt?: number;
}

/** Which updates a subscriber wants. */
export interface SubscribeOptions {
  /** Default: all updates. */
  readonly filter?: UpdateFilter;
  /** Default `now`. A number is the last revision that is known: all later updates are delivered. */
  readonly since?: Since;
  /** Called for each task that is removed, in order with the updates. */
  readonly onRemoved?: (removal: TaskRemoval) => unknown;
}

export const COORDINATOR_OPTIONS = optionSchema<CoordinatorOptions>({
  timeoutMs: duration,
  deadlineMs: duration,
  logger: objectOf<Logger>(),
});

export const CLAIM_TASK_OPTIONS = optionSchema<ClaimTaskOptions>({
  ...CALL_OPTIONS.shape,
  ttlSeconds: number,
  capabilities: strings,
  releaseOnDisconnect: z.boolean(),
});

export const RELEASE_TASK_OPTIONS = optionSchema<ReleaseTaskOptions>({
  ...CALL_OPTIONS.shape,
  ...RELEASE_OPTIONS.shape,
  result: z.unknown(),
  error: z.unknown(),
  retry: z.boolean(),
  attempt: number,
});

export const SUBSCRIBE_OPTIONS = optionSchema<SubscribeOptions>({
  filter: UPDATE_FILTER,
  since: SINCE,
  onRemoved: z.custom<NonNullable<SubscribeOptions["onRemoved"]>>(
    (given) => typeof given === "function",
    "must be a function",
  ),
});
