/** Verdicts on JetStream, the buckets and their replicas. */
import type { AccountFacts, BucketFacts, Usage } from "../../../nats/inspection/jetstream-facts.ts";
import { count, type Finding, found, ok, shortList } from "../finding.ts";

/** Shares of a limit. */
const NEAR = 0.8;
const REACHED = 0.95;

/** @param isServed whether a worker answers, which then has JetStream in its own account */
export function judgeAccount(facts: AccountFacts, isServed: boolean): Finding[] {
  if (facts.kind === "disabled") {
    return [
      found(isServed ? "jetstream_elsewhere" : "no_jetstream", "this account has no JetStream"),
    ];
  }
  const full = facts.usages.filter((usage) => shareOf(usage) >= REACHED);
  const near = facts.usages.filter((usage) => shareOf(usage) >= NEAR && shareOf(usage) < REACHED);
  const findings = [
    ...full.map((usage) => found("limit_reached", `the account uses ${inWords(usage)}`)),
    ...near.map((usage) => found("limit_near", `the account uses ${inWords(usage)}`)),
  ];
  if (findings.length > 0) return findings;
  const isUnlimited = facts.usages.every(({ limit }) => limit === null);
  const limits = isUnlimited ? "; the account has no limits" : "";
  return [ok(`enabled; used: ${facts.usages.map(inWords).join(", ")}${limits}`)];
}

/** The buckets, as far as they exist. */
export interface StorageFacts {
  readonly found: readonly BucketFacts[];
  readonly missing: readonly string[];
}

/** @param maxRecordBytes the setting of the workers; `null` if they do not announce it */
export function judgeBuckets(
  { found: buckets, missing }: StorageFacts,
  maxRecordBytes: number | null,
): Finding[] {
  const findings = [
    ...missing.map((bucket) => found("bucket_missing", `the bucket "${bucket}" does not exist`)),
    ...buckets.flatMap((bucket) => judgeBucket(bucket, maxRecordBytes)),
  ];
  const replicas = new Set(buckets.map((bucket) => bucket.replicas));
  if (replicas.size > 1) {
    const each = buckets.map((bucket) => `"${bucket.bucket}" has ${bucket.replicas}`);
    const stream =
      buckets.find((bucket) => bucket.replicas === Math.min(...replicas))?.stream ?? "";
    findings.push(found("bucket_differs", `replicas differ: ${each.join(", ")}`, { stream }));
  }
  if (findings.length > 0) return findings;
  const sizes = buckets.map(({ bucket, entries }) => `${bucket} (${count(entries, "record")})`);
  const history = buckets.find(({ bucket }) => bucket === "tasks")?.history ?? 0;
  return [ok(`${sizes.join(", ")}; history of ${count(history, "record")} for each task`)];
}

function judgeBucket(facts: BucketFacts, maxRecordBytes: number | null): Finding[] {
  const { bucket, stream, misfits, choices, unsafe, usages, maxValueBytes } = facts;
  const named = `the bucket "${bucket}"`;
  const values = { stream };
  const full = usages.filter((usage) => shareOf(usage) >= NEAR);
  const tooSmall =
    maxValueBytes !== null && maxRecordBytes !== null && maxValueBytes < maxRecordBytes;
  return [
    ...(misfits.length > 0
      ? [found("bucket_refused", `${named}: ${misfits.join("; ")}`, values)]
      : []),
    ...(unsafe.length > 0
      ? [found("bucket_unsafe", `${named}: ${unsafe.join("; ")}`, values)]
      : []),
    ...(choices.length > 0
      ? [found("bucket_differs", `${named}: ${choices.join("; ")} by the configuration`, values)]
      : []),
    ...full.map((usage) => found("bucket_nearly_full", `${named} uses ${inWords(usage)}`, values)),
    ...(tooSmall
      ? [
          found(
            "bucket_small_values",
            `${named} takes values of at most ${maxValueBytes} bytes, but max_record_bytes is ${maxRecordBytes}`,
            values,
          ),
        ]
      : []),
  ];
}

/** @param servers how many servers of the cluster are known */
export function judgeReplicas(buckets: readonly BucketFacts[], servers: number): Finding[] {
  const findings = buckets.flatMap((facts) => judgeReplicasOf(facts, servers));
  if (findings.length > 0) return findings;
  if (buckets.length === 0) return [];
  if (buckets.every(({ cluster }) => cluster === null)) {
    return [ok("a single server has the data; its loss costs everything since the last backup")];
  }
  const [first] = buckets;
  const survives = Math.floor(((first?.replicas ?? 1) - 1) / 2);
  return [
    ok(
      `each bucket has ${count(first?.replicas ?? 1, "current replica")} and a leader; ` +
        `the data survives the loss of ${survives === 0 ? "no server" : count(survives, "server")}`,
    ),
  ];
}

function judgeReplicasOf(facts: BucketFacts, servers: number): Finding[] {
  const { bucket, stream, replicas, cluster } = facts;
  const values = { stream };
  const findings: Finding[] = [];
  if (cluster !== null && cluster.leader === null) {
    findings.push(found("no_leader", `the bucket "${bucket}" has no leader`));
  }
  const missing =
    cluster?.followers.filter(({ isCurrent, isOffline }) => !isCurrent || isOffline) ?? [];
  if (missing.length > 0) {
    const names = missing.map(
      ({ name, isOffline }) => `${name} is ${isOffline ? "offline" : "not current"}`,
    );
    findings.push(found("replica_missing", `the bucket "${bucket}": ${shortList(names)}`));
  }
  if (replicas === 1 && servers > 1) {
    const text = `the bucket "${bucket}" is on one of ${count(servers, "server")}`;
    findings.push(found("single_replica", text, values));
  } else if (replicas % 2 === 0) {
    const text = `the bucket "${bucket}" has ${count(replicas, "replica")}`;
    findings.push(found("even_replicas", text, values));
  }
  return findings;
}

function shareOf({ used, limit }: Usage): number {
  return limit === null ? 0 : used / limit;
}

function inWords({ what, used, limit }: Usage): string {
  const isSize = what.startsWith("storage") || what === "bytes";
  const show = isSize ? bytes : (value: number): string => value.toLocaleString("en");
  const name = isSize ? (what === "bytes" ? "" : ` of ${what}`) : ` ${what}`;
  if (limit === null) return `${show(used)}${name}`;
  return `${show(used)}${name} (limit ${show(limit)})`;
}

/** `1.5 MiB`. */
export function bytes(size: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let value = size;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(unit === 0 || value >= 100 ? 0 : 1))} ${units[unit] ?? ""}`;
}
