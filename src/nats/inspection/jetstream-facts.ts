/** What JetStream says about the account and about the buckets of the coordinator. Nothing is changed. */
import { type JetStreamManager, jetstreamManager, type StreamInfo } from "@nats-io/jetstream";
import { jserrors } from "@nats-io/jetstream/internal";
import type { Connection } from "../connection.ts";
import { findStream } from "../find-stream.ts";
import { inDomain } from "../js-domain.ts";
import { type BucketDifferences, compareBucket, coordinatorBuckets } from "../kv-buckets.ts";

const API_MS = 3_000;

/** A manager that asks nothing before it is used. */
export function openJetStream(connection: Connection, domain?: string): Promise<JetStreamManager> {
  return jetstreamManager(connection, { checkAPI: false, timeout: API_MS, ...inDomain(domain) });
}

export interface Usage {
  readonly what: string;
  readonly used: number;
  /** `null`: no limit. */
  readonly limit: number | null;
}

export type AccountFacts =
  { readonly kind: "enabled"; readonly usages: readonly Usage[] } | { readonly kind: "disabled" };

/** @throws Error if JetStream does not answer, or the user may not ask */
export async function inspectAccount(jsm: JetStreamManager): Promise<AccountFacts> {
  try {
    const { storage, streams, consumers, limits, tiers } = await jsm.getAccountInfo();
    const own = usagesOf("", { storage, streams, consumers, limits });
    const tiered = Object.entries(tiers ?? {}).flatMap(([tier, usage]) =>
      usage === undefined ? [] : usagesOf(` of ${tier}`, usage),
    );
    return { kind: "enabled", usages: [...own, ...tiered] };
  } catch (error) {
    if (error instanceof jserrors.JetStreamNotEnabled) return { kind: "disabled" };
    throw error;
  }
}

interface AccountUsage {
  readonly storage: number;
  readonly streams: number;
  readonly consumers: number;
  readonly limits: {
    readonly max_storage: number;
    readonly max_streams: number;
    readonly max_consumers: number;
  };
}

function usagesOf(tier: string, { storage, streams, consumers, limits }: AccountUsage): Usage[] {
  const usage = (what: string, used: number, limit: number): Usage => {
    return { what: `${what}${tier}`, used, limit: limit < 0 ? null : limit };
  };
  return [
    usage("storage", storage, limits.max_storage),
    usage("streams", streams, limits.max_streams),
    usage("consumers", consumers, limits.max_consumers),
  ];
}

export interface BucketFacts extends BucketDifferences {
  readonly bucket: string;
  readonly stream: string;
  readonly history: number;
  readonly replicas: number;
  /** Settings with which acknowledged writes can be lost, in words. */
  readonly unsafe: readonly string[];
  readonly usages: readonly Usage[];
  /** `null`: no limit. */
  readonly maxValueBytes: number | null;
  readonly entries: number;
  /** `null`: the server is not part of a cluster. */
  readonly cluster: {
    readonly leader: string | null;
    /** The replicas that are not leader. */
    readonly followers: readonly {
      readonly name: string;
      readonly isCurrent: boolean;
      readonly isOffline: boolean;
    }[];
  } | null;
}

/** The settings of the workers, if they are known. */
export interface WantedBuckets {
  readonly history?: number | undefined;
  readonly replicas?: number | undefined;
}

/**
 * The buckets that exist, and the names of those that do not.
 *
 * @throws Error if JetStream does not answer, or the user may not ask
 */
export async function inspectBuckets(
  jsm: JetStreamManager,
  wanted: WantedBuckets,
): Promise<{ readonly found: readonly BucketFacts[]; readonly missing: readonly string[] }> {
  const names = coordinatorBuckets({ history: 1, replicas: 1 }).map(({ name }) => name);
  const infos = await Promise.all(names.map((name) => findStream(jsm, name)));
  return {
    found: infos.flatMap((info) => (info === null ? [] : [factsOf(info, wanted)])),
    missing: names.filter((_, at) => infos[at] === null).map(bucketOf),
  };
}

function factsOf({ config, state, cluster }: StreamInfo, wanted: WantedBuckets): BucketFacts {
  const { num_replicas: replicas, max_msgs_per_subject: history } = config;
  const own = coordinatorBuckets({
    history: wanted.history ?? history,
    replicas: wanted.replicas ?? replicas,
  }).find(({ name }) => name === config.name);
  const differences = own === undefined ? { misfits: [], choices: [] } : compareBucket(own, config);
  const misfits = [...differences.misfits, ...(config.sealed ? ["it is sealed"] : [])];
  return {
    ...{ bucket: bucketOf(config.name), stream: config.name, history, replicas },
    ...{ misfits, choices: differences.choices },
    unsafe: [
      ...(config.no_ack ? ["no_ack is true"] : []),
      ...((config.persist_mode as string | undefined) === "async" ? ["persist_mode is async"] : []),
    ],
    usages: [
      { what: "bytes", used: state.bytes, limit: limitOf(config.max_bytes) },
      { what: "entries", used: state.messages, limit: limitOf(config.max_msgs) },
    ],
    maxValueBytes: limitOf(config.max_msg_size),
    entries: state.messages,
    cluster:
      cluster?.name === undefined
        ? null
        : {
            leader: cluster.leader === undefined || cluster.leader === "" ? null : cluster.leader,
            followers: (cluster.replicas ?? []).map(({ name, current, offline }) => ({
              ...{ name, isCurrent: current, isOffline: (offline as boolean | undefined) ?? false },
            })),
          },
  };
}

function bucketOf(stream: string): string {
  return stream.slice("KV_".length);
}

function limitOf(limit: number | undefined): number | null {
  return limit === undefined || limit <= 0 ? null : limit;
}
