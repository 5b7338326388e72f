/** Bugs in what workers do with leases, for planted-bugs.test.ts. */
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FollowUps } from "../../src/service/follow-ups.ts";
import type { Lease, LeaseEntry, Stores } from "../../src/service/ports.ts";
import type { FollowUp } from "../../src/task/follow-up.ts";
import { withFaults } from "../support/faulty-stores.ts";

/** Adds a bug to the stores of workers. It reports each task that it strikes. */
export type Bug = (struck: (taskId: string) => void) => (stores: Stores) => Stores;

/**
 * The worker mistakes the end of an earlier lease for the end of the current one.
 *
 * @param lateMs how much later the worker sees the real ends, so that more holders renew before
 */
function mistakenEnd(isMistaken: (lease: Lease) => boolean, lateMs = 0): Bug {
  return (struck) =>
    withFaults({
      leases: {
        watch: (real) => (watch) => {
          let latest = 0;
          const deliver = (entry: LeaseEntry): void => {
            latest = entry.revision;
            watch.entry(entry);
          };
          return real.watch({
            restarted: () => {
              watch.restarted();
            },
            current: () => {
              watch.current();
            },
            entry: (entry) => {
              if (entry.kind === "ended" && lateMs > 0) setTimeout(deliver, lateMs, entry);
              else deliver(entry);
              if (entry.kind !== "live" || !isMistaken(entry.lease)) return;
              const { taskId, attempt, epoch } = entry.lease;
              setTimeout(() => {
                const { writtenAt } = entry;
                // Later than a renewal that follows meanwhile.
                const revision = latest + 0.5;
                struck(taskId);
                const name = { taskId, attempt, epoch };
                deliver({ kind: "ended", name, revision, how: "expired", writtenAt });
              }, 20);
            },
          });
        },
      },
    });
}

export const reclaimWithoutAttempt = mistakenEnd(({ attempt }) => attempt > 1);
/** The holder has begun the lease again, and the marker of the one before it ends the claim. */
export const reclaimWithoutEpoch = mistakenEnd(({ epoch }) => epoch > 0, 3_000);

/** Takes claims back late, as a slow worker does, so that more holders renew before. This is no bug. */
export const lateReclaims = withFaults({
  tasks: {
    write:
      (real) =>
      async (...write) => {
        if (write[0].task.lastEvent?.type === "task_expired") await delay(1_000);
        return real.write(...write);
      },
  },
});

/** A claim gets its lease only when its holder renews. */
export const leaseNeverWritten: Bug = (struck) =>
  withFaults({
    leases: {
      write:
        (real) =>
        (lease, ...more) => {
          if (lease.confirmed) return real.write(lease, ...more);
          struck(lease.taskId);
          return Promise.resolve({ kind: "unknown" });
        },
    },
  });

/**
 * What happens to a task while a worker is busy with it is forgotten. The hook is in the prototype, because no
 * part of the worker can be exchanged for a worse one.
 */
export function forgetWhileBusy(test: TestContext, struck: (taskId: string) => void): void {
  const { prototype } = FollowUps;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with the worker's own parts
  const { decide, perform } = prototype;
  const forgotten = new Map<FollowUps, Set<string>>();
  test.mock.method(
    prototype,
    "perform",
    async function (this: FollowUps, taskId: string, action: FollowUp) {
      await perform.call(this, taskId, action);
      if (decide.call(this, taskId) !== null) struck(taskId);
      const ids = forgotten.get(this) ?? new Set();
      forgotten.set(this, ids.add(taskId));
    },
  );
  test.mock.method(prototype, "decide", function (this: FollowUps, taskId: string) {
    return forgotten.get(this)?.delete(taskId) === true ? null : decide.call(this, taskId);
  });
}

/** The acknowledgement of a lease arrives when the lease is over already. This is no bug. */
export const slowLeases = withFaults({
  leases: {
    write: (real) => async (lease, revision) => {
      const outcome = await real.write(lease, revision);
      if (!lease.confirmed && lease.ttlSeconds === 1) await delay(2_500);
      return outcome;
    },
  },
});
