/** Tasks in etcd: a record each, which changes only if nobody has changed it since it was read. */
import type { Etcd3 } from "etcd3";
import { newRecord, type TaskRecord } from "./record.ts";
import { chunks, freshName } from "./round.ts";

/** The server takes no more at a time, unless it is told to. */
const WRITES_PER_TRANSACTION = 128;

export interface Session {
  readonly name: string;
  readonly lease: string;
}

export interface Claim {
  readonly record: TaskRecord;
  readonly revision: string;
}

export class EtcdTasks {
  readonly #etcd: Etcd3;

  constructor(etcd: Etcd3) {
    this.#etcd = etcd;
  }

  /** In as few transactions as possible. */
  async createAll(ids: readonly string[]): Promise<void> {
    const puts = ids.map((id, index) =>
      this.#etcd.put(taskKey(id)).value(JSON.stringify(newRecord(id, index))),
    );
    for (const some of chunks(puts, WRITES_PER_TRANSACTION)) {
      // Always so: a transaction has a condition.
      await this.#etcd
        .if(taskKey(freshName()), "Create", "==", 0)
        .then(...some)
        .commit();
    }
  }

  async create(id: string, index: number): Promise<void> {
    const { succeeded } = await this.#etcd
      .if(taskKey(id), "Create", "==", 0)
      .then(this.#etcd.put(taskKey(id)).value(JSON.stringify(newRecord(id, index))))
      .commit();
    if (!succeeded) throw new Error("a fresh task was there already");
  }

  async claim(id: string, session: Session): Promise<Claim> {
    const claim = await this.tryToClaim(id, session);
    if (claim === null) throw new Error("a fresh task could not be claimed");
    return claim;
  }

  /** `null`: somebody else has it. */
  async tryToClaim(id: string, { name, lease }: Session): Promise<Claim | null> {
    const [found] = (await this.#etcd.get(taskKey(id)).exec()).kvs;
    if (found === undefined) throw new Error("a task is not there");
    const seen = JSON.parse(found.value.toString()) as TaskRecord;
    if (seen.status !== "available") return null;
    const record: TaskRecord = {
      ...seen,
      ...{ status: "claimed", claimed_by: name, attempt: seen.attempt + 1 },
    };
    const { succeeded, header } = await this.#etcd
      .if(taskKey(id), "Mod", "==", found.mod_revision)
      .then(
        this.#etcd.put(taskKey(id)).value(JSON.stringify(record)),
        this.#etcd.put(leaseKey(id)).value(name).lease(lease),
      )
      .commit();
    return succeeded ? { record, revision: header.revision } : null;
  }

  async complete(id: string, { record, revision }: Claim): Promise<void> {
    const complete: TaskRecord = { ...record, status: "complete" };
    const { succeeded } = await this.#etcd
      .if(taskKey(id), "Mod", "==", revision)
      .then(
        this.#etcd.put(taskKey(id)).value(JSON.stringify(complete)),
        this.#etcd.delete().key(leaseKey(id)),
      )
      .commit();
    if (!succeeded) throw new Error("a claimed task could not be completed");
  }

  /** What was deleted is kept as history until it is compacted, and would slow later rounds down. */
  async deleteAll(): Promise<void> {
    await this.#etcd.delete().all().exec();
    // There may have been nothing to delete, and no revision is compacted twice.
    const { header } = await this.#etcd.put("round").value(freshName()).exec();
    await this.#etcd.kv.compact({ revision: header.revision, physical: true });
  }
}

function taskKey(id: string): string {
  return `tasks/${id}`;
}

function leaseKey(id: string): string {
  return `leases/${id}`;
}
