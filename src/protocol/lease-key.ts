/** The keys of the bucket `leases`: `<attempt>-<epoch>.<task_id>`. The key alone says which claim it belongs to. */

/** A lease is for one attempt, and for one of the times that the attempt's lease was begun. */
export interface LeaseName {
  readonly taskId: string;
  readonly attempt: number;
  readonly epoch: number;
}

export function leaseKeyOf({ taskId, attempt, epoch }: LeaseName): string {
  return `${attempt}-${epoch}.${taskId}`;
}

/** `null`: the key is not that of a lease. Version 0.1 had the bare task id as key. */
export function parseLeaseKey(key: string): LeaseName | null {
  const [, attempt, epoch, taskId = ""] = /^(\d{1,15})-(\d{1,15})\.(.+)$/s.exec(key) ?? [];
  if (attempt === undefined || epoch === undefined) return null;
  const name = { taskId, attempt: Number(attempt), epoch: Number(epoch) };
  // Leading zeros would give one lease several keys.
  return leaseKeyOf(name) === key ? name : null;
}
