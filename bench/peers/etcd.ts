/**
 * A plain coordinator on etcd: a record a task, claimed by a read and a transaction that fails if the
 * record has changed since. A claim is held by a lease, of which there is one for each session, granted
 * when it starts, as is usual with etcd: a grant for each claim would be one more write. All goes over
 * one connection of etcd3, on which requests do not wait for each other.
 */
import { Etcd3, type Lease } from "etcd3";
import type { Contender, Prepare, Round } from "../contender.ts";
import { EtcdTasks, type Session } from "./etcd-tasks.ts";
import { contest, contestCount, freshName, range, sessionOf, taskId } from "./round.ts";

const LEASE_SECONDS = 300;

class EtcdPeer implements Contender {
  readonly #etcd: Etcd3;
  readonly #tasks: EtcdTasks;
  #leases: Lease[] = [];

  constructor(url: string) {
    this.#etcd = new Etcd3({ hosts: url });
    this.#tasks = new EtcdTasks(this.#etcd);
  }

  readonly #claim: Prepare = async (round) => {
    const [ids, sessions] = await this.#begin(round, round.count);
    return async (index) => {
      await this.#tasks.claim(ids[index] ?? "", of(sessions, index));
    };
  };

  readonly #contended: Prepare = async (round) => {
    const [ids, sessions] = await this.#begin(round, contestCount(round));
    return contest(round, async (task, index) => {
      return (await this.#tasks.tryToClaim(ids[task] ?? "", of(sessions, index))) !== null;
    });
  };

  readonly #complete: Prepare = async (round) => {
    const [ids, sessions] = await this.#begin(round, round.count);
    return async (index) => {
      const id = ids[index] ?? "";
      await this.#tasks.complete(id, await this.#tasks.claim(id, of(sessions, index)));
    };
  };

  readonly #create: Prepare = async () => {
    await this.#clear();
    const name = freshName();
    return (index) => this.#tasks.create(taskId(name, index), index);
  };

  readonly #renew: Prepare = async (round) => {
    await this.#begin(round, 0);
    return async (index) => {
      await of(this.#leases, index).keepaliveOnce();
    };
  };

  readonly scenarios = {
    ...{ claim: this.#claim, contended: this.#contended, complete: this.#complete },
    ...{ create: this.#create, renew: this.#renew },
  };

  async close(): Promise<void> {
    await this.#clear();
    this.#etcd.close();
  }

  async #begin(round: Round, count: number): Promise<[ids: string[], sessions: Session[]]> {
    await this.#clear();
    const name = freshName();
    const ids = range(count, (index) => taskId(name, index));
    await this.#tasks.createAll(ids);
    this.#leases = range(round.inFlight, () => this.#etcd.lease(LEASE_SECONDS));
    const granted = await Promise.all(this.#leases.map((lease) => lease.grant()));
    return [ids, granted.map((lease, index) => ({ name: sessionOf(index, round), lease }))];
  }

  async #clear(): Promise<void> {
    await Promise.all(this.#leases.splice(0).map((lease) => lease.revoke()));
    await this.#tasks.deleteAll();
  }
}

/** They take turns. */
function of<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new Error("there is none");
  return item;
}

export function etcdContender(url: string): Promise<Contender> {
  return Promise.resolve(new EtcdPeer(url));
}
