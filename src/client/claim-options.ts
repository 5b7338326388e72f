/** The options of a session that claims tasks, in a loop or by a worker. */
import { hostname } from "node:os";
import { z } from "zod";
import { nameInCredentials } from "../nats/credentials-name.ts";
import { MAX_PAGE } from "../protocol/fields.ts";
import { next } from "../protocol/requests.ts";
import { duration, number, objectOf, optionSchema, strings } from "./check-options.ts";

/** Which tasks a session wants, and how it holds them. */
export interface ClaimOptions {
  /**
   * The session's id, a different one for each process. If another process registers the same id, it
   * takes over the session, and this one ends with `session_replaced`. Default: `<host>-<pid>-<random>`,
   * after the name in the credentials and a dot if there are any.
   */
  readonly session?: string;
  /** What the session can do. Others see it while the session exists. Default: nothing special. */
  readonly capabilities?: readonly string[];
  /** Only tasks that carry all of these. */
  readonly tags?: readonly string[];
  /** Only tasks whose id begins with this. */
  readonly prefix?: string;
  /** Length of the leases in seconds, 1 to 86,400. Default: the coordinator's, 300. */
  readonly ttlSeconds?: number;
  /** How long one request waits for a task, 0 to 60 seconds; 0 waits for a tenth of a second. Default 30. */
  readonly waitSeconds?: number;
  /** End when a request has waited without success, instead of asking again forever. Default false. */
  readonly stopWhenIdle?: boolean;
  /** Shown with the session. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /**
   * Renew the leases from a thread with its own connection, for work that blocks the event loop for longer
   * than a third of the lease. Default false.
   */
  readonly renewInThread?: boolean;
  /**
   * Give the tasks back half a second after the connection is lost, for example because this process
   * dies, instead of after `ttlSeconds`. The coordinator needs a NATS user of the system account for this;
   * `tasks.stats` says whether it has one. Default false.
   */
  readonly releaseOnDisconnect?: boolean;
}

/** Which tasks a worker takes, and how many at a time. */
export interface WorkOptions extends ClaimOptions {
  /** How many tasks the worker handles at a time. Default 1. */
  readonly concurrency?: number;
}

/** How long a worker takes to stop. */
export interface StopOptions {
  /** How long the handlers may continue, in milliseconds. Default 30,000. 0: give all tasks back at once. */
  readonly deadlineMs?: number;
}

/** Default of `waitSeconds`. */
export const DEFAULT_WAIT_SECONDS = 30;
/** Default of `deadlineMs` when a worker stops. */
export const DEFAULT_STOP_MS = 30_000;
/** One heartbeat can name so many claims. */
const MAX_CONCURRENCY = MAX_PAGE;
const CONCURRENCY_RULE = `must be a whole number from 1 to ${MAX_CONCURRENCY}`;

/** Types, and values that the coordinator does not see. The coordinator checks the limits of the others. */
export const CLAIM_OPTIONS = optionSchema<ClaimOptions>({
  session: z.string().min(1, "must not be empty: leave it out, or give it a name"),
  capabilities: strings,
  tags: strings,
  prefix: z.string(),
  ttlSeconds: number,
  waitSeconds: next.shape.wait_seconds,
  stopWhenIdle: z.boolean(),
  metadata: objectOf<Record<string, unknown>>(),
  renewInThread: z.boolean(),
  releaseOnDisconnect: z.boolean(),
});

export const WORK_OPTIONS = optionSchema<WorkOptions>({
  ...CLAIM_OPTIONS.shape,
  concurrency: z
    .int({ error: CONCURRENCY_RULE })
    .min(1, CONCURRENCY_RULE)
    .max(MAX_CONCURRENCY, CONCURRENCY_RULE),
});

export const STOP_OPTIONS = optionSchema<StopOptions>({ deadlineMs: duration });

/** Which tasks the session wants, in the fields of a request. */
export function wantedTasks({ tags, prefix }: ClaimOptions): { tags?: string[]; prefix?: string } {
  return {
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(prefix === undefined ? {} : { prefix }),
  };
}

/** A host name can have 253 characters, and a whole id 256. */
const MAX_HOST_LENGTH = 64;
const RANDOM_LENGTH = 8;

/**
 * `<host>-<pid>-<random>`: people see where the session runs, and no other process has this id. With credentials,
 * the name in them comes first, because an agent has only sessions that begin with its name.
 */
export function defaultSession(credsFile?: string): string {
  const owner = credsFile === undefined ? null : nameInCredentials(credsFile);
  const host = hostname()
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, MAX_HOST_LENGTH);
  const random = crypto.randomUUID().slice(0, RANDOM_LENGTH);
  const session = [host, process.pid, random].filter((part) => part !== "").join("-");
  return owner === null ? session : `${owner}.${session}`;
}
