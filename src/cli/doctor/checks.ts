/** Every check of `doctor`, in the order of the report: it reads facts and judges them. */
import type { LeaseName } from "../../protocol/lease-key.ts";
import { inspectAudit } from "../../nats/inspection/audit-facts.ts";
import { inspectAccount } from "../../nats/inspection/jetstream-facts.ts";
import { hasValue, readLease, readTaskKeys } from "../../nats/inspection/stored-entries.ts";
import { VERSION } from "../../version.ts";
import type { Examination } from "./examination.ts";
import { type Finding, found } from "./finding.ts";
import { inspectDisks, inspectHealth } from "./http-facts.ts";
import { compareLeases, idleClaims } from "./lease-facts.ts";
import { readCapabilities } from "./task-facts.ts";
import { judgeAudit } from "./verdicts/audit.ts";
import { judgeClocks } from "./verdicts/clocks.ts";
import { judgeConnection, judgeEncryption, judgeUser } from "./verdicts/connection.ts";
import { judgeDisk, judgeHealth } from "./verdicts/outside.ts";
import { judgePermissions, permits } from "./verdicts/permissions.ts";
import { judgeAddresses, judgeVersions } from "./verdicts/servers.ts";
import { judgeAccount, judgeBuckets, judgeReplicas } from "./verdicts/storage.ts";
import {
  judgeCapabilities,
  judgeClaims,
  judgeDependencies,
  judgeLeases,
  judgeRecords,
} from "./verdicts/tasks.ts";
import { judgeReports, judgeWaiting, judgeWorkers } from "./verdicts/workers.ts";

export interface Check {
  readonly name: string;
  /** Whether the check asks a worker, and is left out if none answers. */
  readonly needsWorker?: true;
  readonly examine: (examination: Examination) => Promise<Finding[]>;
}

export const CHECKS: readonly Check[] = [
  { name: "servers", examine: async (x) => judgeAddresses(await x.addresses(), true) },
  {
    name: "connection",
    examine: async (x) => judgeConnection(await x.server(), await x.setting("max_record_bytes")),
  },
  { name: "TLS", examine: async (x) => judgeEncryption(await x.server(), Date.now()) },
  { name: "user", examine: examineUser },
  { name: "server version", examine: async (x) => judgeVersions((await x.cluster()).versions) },
  { name: "permissions", examine: examinePermissions },
  { name: "JetStream", examine: examineJetStream },
  {
    name: "buckets",
    examine: async (x) => judgeBuckets(await x.buckets(), await x.setting("max_record_bytes")),
  },
  {
    name: "replicas",
    examine: async (x) => judgeReplicas((await x.buckets()).found, (await x.cluster()).size),
  },
  {
    name: "disk",
    examine: async (x) => {
      const { addresses, size } = await x.cluster();
      return judgeDisk(await inspectDisks(x.options.monitors, addresses), size);
    },
  },
  { name: "workers", examine: async (x) => judgeWorkers(await x.workers(), VERSION) },
  { name: "health", examine: examineHealth },
  { name: "audit", needsWorker: true, examine: examineAudit },
  { name: "clocks", examine: examineClocks },
  { name: "lost connections", needsWorker: true, examine: examineReports },
  {
    name: "parked requests",
    needsWorker: true,
    examine: async (x) => judgeWaiting(await x.workers()),
  },
  { name: "records", needsWorker: true, examine: examineRecords },
  {
    name: "dependencies",
    needsWorker: true,
    examine: async (x) => judgeDependencies(await x.tasks(), (await x.stats()).dead_ends),
  },
  {
    name: "capabilities",
    needsWorker: true,
    examine: async (x) => judgeCapabilities(await x.tasks(), await readCapabilities(x.calls)),
  },
  { name: "leases", needsWorker: true, examine: examineLeases },
  { name: "claims", needsWorker: true, examine: examineClaims },
];

async function examineUser(x: Examination): Promise<Finding[]> {
  try {
    return judgeUser(await x.user());
  } catch {
    return [found("user_unknown", "the server does not say who the user is")];
  }
}

async function examinePermissions(x: Examination): Promise<Finding[]> {
  const user = await x.user();
  return judgePermissions(user, await isAgent(x));

  /** Operations for operators are refused to agents. The task does not exist, so nothing changes. */
  async function isAgent({ calls }: Examination): Promise<boolean> {
    const nobody = `doctor-${crypto.randomUUID()}`;
    if (!permits(user.publish, `tasks.requeue.${nobody}`)) return false;
    try {
      await calls.call("tasks.requeue", nobody, () => ({}), { deadlineMs: 0 });
      return false;
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "forbidden";
    }
  }
}

async function examineJetStream(x: Examination): Promise<Finding[]> {
  const { answer } = await x.workers();
  const isServed = answer.kind === "stats";
  try {
    return judgeAccount(await inspectAccount(await x.jetStream()), isServed);
  } catch (error) {
    if (!(error instanceof Error && error.name === "TimeoutError")) throw error;
    return [found("jetstream_silent", "JetStream does not answer")];
  }
}

async function examineHealth(x: Examination): Promise<Finding[]> {
  const { workers, answer } = await x.workers();
  const ids = workers.map(({ id }) => id);
  const own = answer.kind === "stats" ? [answer.stats.worker.id] : [];
  return judgeHealth(await inspectHealth(x.options.http, [...ids, ...own]));
}

async function examineAudit(x: Examination): Promise<Finding[]> {
  const isOn = await x.setting("audit.enabled");
  const jetStream = await x.jetStream();
  return judgeAudit(isOn === null ? null : isOn === 1, await inspectAudit(jetStream));
}

async function examineClocks(x: Examination): Promise<Finding[]> {
  const server = await x.user().then(
    ({ clock }) => clock,
    () => null,
  );
  const { workers } = await x.workers();
  return judgeClocks({ server, workers });
}

/** Requests go to any worker, so it takes several until each has answered. */
async function examineReports(x: Examination): Promise<Finding[]> {
  const { workers } = await x.workers();
  const reported = new Map<string, boolean>();
  const most = Math.min(4 * workers.length, MOST_REQUESTS);
  for (let asked = 0; asked === 0 || (asked < most && reported.size < workers.length); asked++) {
    const { worker, release_on_disconnect: isReported } = await x.stats();
    reported.set(worker.id, isReported);
  }
  return judgeReports(reported);
}

const MOST_REQUESTS = 40;

async function examineRecords(x: Examination): Promise<Finding[]> {
  const tasks = await x.tasks();
  const { corrupt } = await x.stats();
  return judgeRecords(tasks, corrupt, corrupt === 0 ? [] : await corruptIds());

  /** Of keys that are no tasks, those that are not removed. Only for a user who can read the bucket. */
  async function corruptIds(): Promise<string[]> {
    try {
      const jetStream = await x.jetStream();
      const keys = await readTaskKeys(jetStream);
      const ids: string[] = [];
      for (const id of keys.filter((key) => !tasks.byId.has(key)).slice(0, MOST_KEYS)) {
        if (await hasValue(jetStream, id)) ids.push(id);
      }
      return ids;
    } catch {
      return [];
    }
  }
}

const MOST_KEYS = 200;

async function examineLeases(x: Examination): Promise<Finding[]> {
  // A task that is claimed after this has a lease that is not among these: only claims that are older count.
  const leases = await x.leases();
  const tasks = await x.tasks();
  const jetStream = await x.jetStream();
  const source = {
    calls: x.calls,
    readLease: (name: LeaseName) => readLease(jetStream, name),
  };
  return judgeLeases(await compareLeases(leases, tasks, await x.now(), source));
}

async function examineClaims(x: Examination): Promise<Finding[]> {
  const tasks = await x.tasks();
  const { overdueMs } = x.options;
  const claimed = [...tasks.byId.values()].filter(({ status }) => status === "claimed").length;
  return judgeClaims(
    claimed,
    idleClaims(await x.leases(), tasks, await x.now(), overdueMs),
    overdueMs,
  );
}
