/** Bugs in what workers do with leases, for planted-bugs.test.ts. */
import { setTimeout as delay } from "node:timers/promises";
import type { LeaseEntry } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";
import type { Bug } from "./planted-run.ts";

/** The worker mistakes the end of an earlier lease for the end of the current one. */
export const reclaimWithoutAttempt: Bug = (struck) =>
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
            deliver(entry);
            if (entry.kind !== "live" || entry.lease.attempt < 2) return;
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
