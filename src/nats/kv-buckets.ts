/** The buckets: their settings, how they are created, and whether existing ones are suitable. */
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { TASK_UPDATES } from "../protocol/subjects.ts";
import { ConnectionError } from "./connection.ts";
import { findStream } from "./find-stream.ts";

export const TASKS_BUCKET = "tasks";
export const LEASES_BUCKET = "leases";
export const SESSIONS_BUCKET = "sessions";
/** What operators say about principals: the ids that belong to them, and their limits. */
export const PRINCIPALS_BUCKET = "principals";
/** The keys that the sessions of a swarm share. Only clients create and use this bucket. */
export const SHARED_BUCKET = "shared";

/** How long the marker of a purged key stays visible for watchers, in seconds. */
export const MARKER_TTL_SECONDS = 15 * 60;
/** The same for keys that come and go at thousands a second. */
export const SHORT_MARKER_TTL_SECONDS = 2 * 60;

export interface BucketOptions {
  /** Records kept of each task, 1 to 64. */
  readonly history: number;
  readonly replicas: number;
}

/** Called when something is done about a bucket. */
export interface BucketReports {
  readonly made: (bucket: string) => void;
  readonly warn: (message: string) => void;
}

export const UNREPORTED: BucketReports = { made: () => undefined, warn: () => undefined };

/** Creates the bucket `shared` if it is missing. @throws ConnectionError */
export function ensureSharedBucket(jsm: JetStreamManager, replicas: number): Promise<void> {
  const config = bucketConfig(SHARED_BUCKET, 1, replicas, SHORT_MARKER_TTL_SECONDS);
  // Clients may ask for different numbers of replicas. The first client decides.
  return ensureBucket(jsm, config, UNREPORTED);
}

/** The buckets of the coordinator, in the order in which they are created. */
export function coordinatorBuckets({ history, replicas }: BucketOptions): BucketConfig[] {
  return [
    bucketConfig(TASKS_BUCKET, history, replicas, MARKER_TTL_SECONDS, {
      republish: { src: `$KV.${TASKS_BUCKET}.>`, dest: `${TASK_UPDATES}.>` },
    }),
    bucketConfig(LEASES_BUCKET, 1, replicas, SHORT_MARKER_TTL_SECONDS),
    bucketConfig(SESSIONS_BUCKET, 1, replicas, SHORT_MARKER_TTL_SECONDS),
    bucketConfig(PRINCIPALS_BUCKET, 1, replicas, MARKER_TTL_SECONDS),
  ];
}

/**
 * Creates the bucket if it is missing.
 *
 * An existing bucket must have the settings on which correctness depends. History and replicas are the
 * operator's choice: a difference is reported, and nothing is changed.
 *
 * @throws ConnectionError that names the settings that don't fit
 */
export async function ensureBucket(
  jsm: JetStreamManager,
  config: BucketConfig,
  reports: BucketReports,
): Promise<void> {
  const existing = (await findStream(jsm, config.name))?.config ?? (await create(jsm, config));
  if (existing === null) reports.made(bucketOf(config));
  else checkBucket(config, existing, reports);
}

export type BucketConfig = Pick<StreamConfig, "name"> & Partial<StreamConfig>;

function bucketOf({ name }: BucketConfig): string {
  return name.slice("KV_".length);
}

function bucketConfig(
  bucket: string,
  history: number,
  replicas: number,
  markerTtlSeconds: number,
  extra: Partial<StreamConfig> = {},
): BucketConfig {
  return {
    name: `KV_${bucket}`,
    subjects: [`$KV.${bucket}.>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: history,
    max_age: 0,
    num_replicas: replicas,
    allow_rollup_hdrs: true,
    allow_direct: true,
    deny_delete: true,
    // Workers remove records, and prove that a node leads, by purges.
    deny_purge: false,
    allow_msg_ttl: true,
    subject_delete_marker_ttl: nanos(markerTtlSeconds * 1000),
    ...extra,
  };
}

/** Settings that the protocol needs. The operator chooses the rest. */
const REQUIRED = [
  "subjects",
  "storage",
  "retention",
  "discard",
  "max_age",
  "allow_rollup_hdrs",
  "allow_direct",
  "allow_msg_ttl",
  "deny_purge",
  "republish",
] as const satisfies (keyof StreamConfig)[];

const CHOSEN = ["max_msgs_per_subject", "num_replicas"] as const satisfies (keyof StreamConfig)[];

/** How an existing bucket differs from the one that a worker would create, each difference in words. */
export interface BucketDifferences {
  /** With any of these, workers refuse the bucket. */
  readonly misfits: readonly string[];
  /** The operator's choice. */
  readonly choices: readonly string[];
}

export function compareBucket(wanted: BucketConfig, existing: StreamConfig): BucketDifferences {
  const misfits = REQUIRED.flatMap((setting) => difference(setting, wanted, existing));
  if (!((existing.subject_delete_marker_ttl ?? 0) > 0)) {
    misfits.push("subject_delete_marker_ttl is 0 but must be set");
  }
  return { misfits, choices: CHOSEN.flatMap((setting) => difference(setting, wanted, existing)) };
}

/** @throws ConnectionError that names the settings that don't fit */
export function checkBucket(
  wanted: BucketConfig,
  existing: StreamConfig,
  { warn }: BucketReports,
): void {
  const bucket = bucketOf(wanted);
  const { misfits, choices } = compareBucket(wanted, existing);
  if (misfits.length > 0) {
    throw new ConnectionError(
      `the bucket "${bucket}" exists with settings that don't fit: ${misfits.join("; ")}. ` +
        `Change them with "nats stream edit ${wanted.name}", or remove the bucket if it is not ` +
        "in use and let the coordinator create it",
    );
  }
  for (const choice of choices) {
    warn(`bucket "${bucket}" is used as it is: ${choice} by the configuration`);
  }
}

function difference(
  setting: keyof StreamConfig,
  wanted: BucketConfig,
  existing: StreamConfig,
): string[] {
  const [is, must] = [existing, wanted].map((config) => comparable(setting, config[setting]));
  return is === must ? [] : [`${setting} is ${is ?? "unset"} but must be ${must ?? "unset"}`];
}

function comparable(setting: keyof StreamConfig, value: unknown): string | undefined {
  if (setting === "republish" && typeof value === "object" && value !== null) {
    const { src, dest } = value as { src?: string; dest?: string };
    return `${src ?? ""} -> ${dest ?? ""}`;
  }
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Returns `null`, or the settings of the bucket if another worker created it at the same moment. */
async function create(jsm: JetStreamManager, config: BucketConfig): Promise<StreamConfig | null> {
  try {
    await jsm.streams.add(config);
    return null;
  } catch (error) {
    const existing = (await findStream(jsm, config.name))?.config ?? null;
    if (existing !== null) return existing;
    const problem = error instanceof Error ? error.message : String(error);
    throw new ConnectionError(
      `cannot create the bucket "${bucketOf(config)}" (${problem}): check the permissions and the storage limits of this NATS account`,
      { cause: error },
    );
  }
}
