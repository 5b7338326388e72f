/** Verdicts on what is seen outside of NATS: the monitoring port of a server, and the workers' HTTP endpoint. */
import { duration, type Finding, found, ok, shortList } from "../finding.ts";
import { bytes } from "./storage.ts";

/** A server as its monitoring port shows it. */
export interface DiskFacts {
  readonly server: string;
  readonly syncsAlways: boolean;
  readonly syncIntervalMs: number;
  readonly usedBytes: number;
  readonly reservedBytes: number;
}

export interface DisksFacts {
  readonly disks: readonly DiskFacts[];
  /** The servers, or monitoring ports, that did not answer. */
  readonly unknown: readonly string[];
}

/** Longer than what docs/durability.md recommends for one node. */
const LONGEST_SYNC_MS = 1_000;
const NEAR = 0.8;

/** @param servers how many servers of the cluster are known */
export function judgeDisk({ disks, unknown }: DisksFacts, servers: number): Finding[] {
  const findings = disks.flatMap((disk) => judgeDiskOf(disk, servers));
  if (unknown.length === 0) return findings;
  const text = `sync_interval and the free storage are not known for ${shortList(unknown)}`;
  return [...findings, found("sync_unknown", text)];
}

function judgeDiskOf(facts: DiskFacts, servers: number): Finding[] {
  const { server, syncsAlways, syncIntervalMs, usedBytes, reservedBytes } = facts;
  const storage = `${bytes(usedBytes)} of ${bytes(reservedBytes)} used`;
  const findings: Finding[] = [];
  const interval = duration(syncIntervalMs);
  if (!syncsAlways && (servers > 1 || syncIntervalMs > LONGEST_SYNC_MS)) {
    const lost =
      servers > 1
        ? "if several servers lose power together, acknowledged writes are lost, and copies can differ"
        : "if the server loses power, acknowledged writes are lost";
    findings.push(found("sync_slow", `${server}: sync_interval is ${interval}: ${lost}`));
  }
  if (reservedBytes > 0 && usedBytes >= NEAR * reservedBytes) {
    findings.push(found("disk_nearly_full", `${server}: ${storage}`));
  }
  if (findings.length > 0) return findings;
  const sync = syncsAlways
    ? "each write is synced to disk"
    : `writes are synced to disk within ${interval}, which is what a loss of power can cost`;
  return [ok(`${server}: ${sync}; ${storage}`)];
}

/** What the workers of one process say on `/readyz`; `null`: nobody answers there. */
export interface HealthFacts {
  readonly url: string;
  readonly answer: {
    readonly problems: readonly string[];
    readonly warnings: readonly string[];
    readonly isReady: boolean;
    readonly workers: number;
  } | null;
}

export function judgeHealth({ url, answer }: HealthFacts): Finding[] {
  if (answer === null) return [found("health_unreached", `no worker answers at ${url}`)];
  const { problems, warnings, isReady, workers } = answer;
  const who = `${count(workers)} at ${url}`;
  const notReady = isReady || problems.length > 0 ? problems : ["not ready"];
  const findings = [
    ...(notReady.length > 0 ? [found("not_ready", `${who}: ${shortList(notReady)}`)] : []),
    ...(warnings.length > 0 ? [found("health_warning", `${who}: ${shortList(warnings)}`)] : []),
  ];
  return findings.length > 0 ? findings : [ok(`${who} ${workers === 1 ? "is" : "are"} ready`)];
}

function count(workers: number): string {
  return workers === 1 ? "1 worker" : `${workers} workers`;
}
