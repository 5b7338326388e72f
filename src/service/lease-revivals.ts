/** Leases that are over, begun again by way of the task's record: it says whether the claim is still there. */
import { CoordinatorError, hasCode } from "../protocol/errors.ts";
import type { Task } from "../task/task.ts";
import type { LeaseWrites, Renewal } from "./lease-writes.ts";
import type { Lease } from "./ports.ts";
import type { TaskWriter } from "./task-writer.ts";

export class LeaseRevivals {
  readonly #writes: LeaseWrites;
  readonly #writer: TaskWriter;

  constructor(writes: LeaseWrites, writer: TaskWriter) {
    this.#writes = writes;
    this.#writer = writer;
  }

  /**
   * Starts the TTL of the task's lease again, for its holder, and returns the task.
   *
   * @throws CoordinatorError `lease_lost`; `unavailable` while the state of the lease is not settled
   */
  async renew(task: Task, lease: Lease, renewal: Renewal): Promise<Task> {
    const found = await this.#writes.renew(lease, renewal);
    if (found.kind !== "expired") return task;
    const revived = await this.#revive({ ...found.lease, ttlSeconds: lease.ttlSeconds });
    const { reported = found.lease.progress, connection } = renewal;
    const begun = { ...lease, epoch: revived.leaseEpoch };
    const again = await this.#writes.renew(begun, { reported, connection, over: found.over });
    if (again.kind !== "expired") return revived;
    const { taskId } = task;
    throw new CoordinatorError("unavailable", `the lease of ${taskId} ran out again: ask again`);
  }

  /** Gives a claim its lease, also where that may have run out unseen; `false` if it has one. */
  async restore(lease: Lease): Promise<boolean> {
    const found = await this.#writes.restore(lease);
    if (found.kind !== "expired") return found.kind === "written";
    try {
      const { leaseEpoch: epoch } = await this.#revive(lease);
      return (await this.#writes.restore({ ...lease, epoch }, found.over)).kind === "written";
    } catch (error) {
      // The claim has ended meanwhile.
      if (hasCode(error, "lease_lost", "not_holder")) return false;
      throw error;
    }
  }

  /** @throws CoordinatorError `lease_lost` or `not_holder` if the claim was taken back before */
  async #revive({ taskId, sessionId, attempt, epoch, ttlSeconds }: Lease): Promise<Task> {
    const command = { type: "revive", sessionId, attempt, epoch, ttlSeconds } as const;
    return (await this.#writer.execute(taskId, command)).task;
  }
}
