/**
 * What NATS servers and services say about themselves, as far as it is used here. Each schema is open,
 * because every version of the server adds fields.
 */
import { z } from "zod";
import { VISIBILITIES } from "./visibility.ts";

/** The INFO line that a server sends first. */
export const serverGreeting = z.looseObject({
  server_id: z.string(),
  server_name: z.string().default(""),
  version: z.string(),
  cluster: z.string().optional(),
  connect_urls: z.array(z.string()).nullish(),
  tls_required: z.boolean().default(false),
});
export type ServerGreeting = z.output<typeof serverGreeting>;

const subjects = z
  .object({
    allow: z.array(z.string()).nullish(),
    deny: z.array(z.string()).nullish(),
  })
  .nullish();

/** The reply to `$SYS.REQ.USER.INFO`: who the requester is, and the server's time. */
export const userReply = z.looseObject({
  server: z.looseObject({ time: z.iso.datetime({ offset: true }) }),
  data: z.looseObject({
    user: z.string().default(""),
    account: z.string().default(""),
    account_name: z.string().optional(),
    permissions: z.object({ publish: subjects, subscribe: subjects }).nullish(),
    /** How long the credentials are still valid, in nanoseconds. Left out if they do not expire. */
    expires: z.number().optional(),
  }),
});

/** A worker's reply to `$SRV.STATS.coordinator`. */
export const workerStatistics = z.looseObject({
  id: z.string(),
  version: z.string(),
  started: z.string().optional(),
  metadata: z.record(z.string(), z.string()).nullish(),
  endpoints: z
    .array(
      z.looseObject({
        name: z.string(),
        num_requests: z.number().default(0),
        num_errors: z.number().default(0),
        last_error: z.string().optional(),
        data: z.unknown(),
      }),
    )
    .default([]),
});

/** A worker's reply to `tasks.stats`. */
export const statsReply = z.looseObject({
  worker: z.looseObject({ visibility: z.enum(VISIBILITIES) }),
});

/** What a worker adds to the statistics of its endpoint `tasks-stats`. */
export const workerAnnouncement = z.looseObject({
  /** The worker's clock when it replied. */
  time: z.iso.datetime({ offset: true }),
  /** The number of parked requests. */
  waiting: z.number(),
  settings: z.record(z.string(), z.unknown()),
});

/** The reply of a server's monitoring port to `/jsz`. */
export const jetStreamMonitor = z.looseObject({
  server_id: z.string(),
  storage: z.number().default(0),
  config: z
    .looseObject({
      max_storage: z.number().default(0),
      /** In nanoseconds. */
      sync_interval: z.number().default(0),
      sync_always: z.boolean().default(false),
    })
    .optional(),
});

/** The reply of a worker's HTTP endpoint to `/readyz`. */
export const readiness = z.looseObject({
  ready: z.boolean(),
  problems: z.array(z.string()),
  warnings: z.array(z.string()),
  workers: z.array(z.looseObject({ id: z.string().nullable() })),
});

/** Of `$SYS.REQ.SERVER.PING.ACCOUNTZ`: the accounts that a server has loaded. */
export const accountListReply = z.looseObject({
  data: z.looseObject({ accounts: z.array(z.string()) }),
});

/** The same with the name of an account. */
export const accountReply = z.looseObject({
  data: z.looseObject({
    account_detail: z.looseObject({
      name_tag: z.string().optional(),
      imports: z
        .array(z.looseObject({ subject: z.string(), account: z.string(), type: z.string() }))
        .nullish(),
    }),
  }),
});

/** The text as the schema reads it; `null` if it is not JSON or does not fit. */
export function readReply<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
