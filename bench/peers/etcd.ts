/**
 * A plain coordinator on etcd: one record for each task, claimed by a read and a transaction that fails if
 * the record has changed since. As is usual with etcd, each session has one lease, which holds all its
 * claims: a lease for each claim would be one more write. All requests use one connection of etcd3, on
 * which they do not wait for each other.
 */
import { Etcd3, type Lease } from "etcd3";
import type { Contender, Prepare, Round } from "../contender.ts";
import { definition, type Definition } from "../definition.ts";
import {
  chunks,
  expectCount,
  freshIds,
  freshName,
  range,
  scenariosOf,
  sessionOf,
} from "../scenarios.ts";

const LEASE_SECONDS = 300;
/** The limit of the server's default settings. */
const WRITES_PER_TRANSACTION = 128;

/** Some 270 bytes of JSON. */
interface TaskRecord extends Definition {
  readonly task_id: string;
  readonly status: "available" | "claimed" | "complete";
  readonly claimed_by: string | null;
  readonly attempt: number;
  readonly created_at: string;
}

interface Claim {
  readonly record: TaskRecord;
  readonly revision: string;
}

export function etcdContender(url: string): Contender {
  const etcd = new Etcd3({ hosts: url });
  let leases: Lease[] = [];
  let leaseIds = new Map<string, string>();
  const put = (record: TaskRecord) =>
    etcd.put(taskKey(record.task_id)).value(JSON.stringify(record));

  const clear = async (): Promise<void> => {
    await Promise.all(leases.splice(0).map((lease) => lease.revoke()));
    await etcd.delete().all().exec();
    // etcd keeps deleted records as history until it compacts them, which would slow down later rounds.
    // No revision is compacted twice, and there may have been nothing to delete: this makes a new one.
    const { header } = await etcd.put("round").value(freshName()).exec();
    await etcd.kv.compact({ revision: header.revision, physical: true });
  };

  const begin = async (round: Round, count: number): Promise<string[]> => {
    await clear();
    const ids = freshIds(count);
    const puts = ids.map((id, index) => put(newRecord(id, index)));
    for (const some of chunks(puts, WRITES_PER_TRANSACTION)) {
      // Always true: a transaction needs a condition.
      await etcd
        .if(taskKey(freshName()), "Create", "==", 0)
        .then(...some)
        .commit();
    }
    leases = range(round.inFlight, () => etcd.lease(LEASE_SECONDS));
    const granted = await Promise.all(leases.map((lease) => lease.grant()));
    leaseIds = new Map(granted.map((lease, index) => [sessionOf(index, round), lease]));
    return ids;
  };

  const scenarios = scenariosOf<Claim>({
    begin,
    claim: async (id, session) => {
      const [found] = (await etcd.get(taskKey(id)).exec()).kvs;
      if (found === undefined) throw new Error(`the task ${id} does not exist`);
      const seen = JSON.parse(found.value.toString()) as TaskRecord;
      if (seen.status !== "available") return null;
      const claimed = {
        status: "claimed",
        claimed_by: session,
        attempt: seen.attempt + 1,
      } as const;
      const record = { ...seen, ...claimed };
      const lease = leaseIds.get(session) ?? "";
      const { succeeded, header } = await etcd
        .if(taskKey(id), "Mod", "==", found.mod_revision)
        .then(put(record), etcd.put(leaseKey(id)).value(session).lease(lease))
        .commit();
      return succeeded ? { record, revision: header.revision } : null;
    },
    complete: async ({ record, revision }) => {
      const { succeeded } = await etcd
        .if(taskKey(record.task_id), "Mod", "==", revision)
        .then(put({ ...record, status: "complete" }), etcd.delete().key(leaseKey(record.task_id)))
        .commit();
      expectCount("completed", Number(succeeded), 1);
    },
    create: async (id, index) => {
      const { succeeded } = await etcd
        .if(taskKey(id), "Create", "==", 0)
        .then(put(newRecord(id, index)))
        .commit();
      expectCount("created", Number(succeeded), 1);
    },
  });
  /** The lease of a session renews all its claims. */
  const renew: Prepare = async (round) => {
    await begin(round, 0);
    return async (index) => leases[index % round.inFlight]?.keepaliveOnce();
  };
  return {
    scenarios: { ...scenarios, renew },
    close: async () => {
      await clear();
      etcd.close();
    },
  };
}

function newRecord(id: string, index: number): TaskRecord {
  return {
    ...{ task_id: id, status: "available", claimed_by: null, attempt: 0 },
    created_at: new Date().toISOString(),
    ...definition(index),
  };
}

function taskKey(id: string): string {
  return `tasks/${id}`;
}

function leaseKey(id: string): string {
  return `leases/${id}`;
}
