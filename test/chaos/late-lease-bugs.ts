/** Bugs of leases whose consequences come late or rarely, for directed-lease-bugs.test.ts. */
import type { MockTracker } from "node:test";
import { FollowUps } from "../../src/service/follow-ups.ts";
import { nameOf } from "../../src/service/leases.ts";
import type { EndedEntry } from "../../src/service/ports.ts";
import type { FollowUp, Later } from "../../src/task/follow-up.ts";
import { withFaults } from "../support/faulty-stores.ts";
import type { Bug } from "./planted-run.ts";

/** A grant replaces what it finds under its key, also a marker. */
export const grantThatOverwrites: Bug = (struck) =>
  withFaults({
    leases: {
      write: (real) => async (lease, revision) => {
        const outcome = await real.write(lease, revision);
        if (lease.confirmed || outcome.kind !== "conflict") return outcome;
        const found = await real.load(lease);
        struck(lease.taskId);
        return real.write(lease, found?.revision ?? 0);
      },
    },
  });

/** The worker takes the marker of any lease of a task for the end of the current claim, too. */
export const markerOfAnyClaim: Bug = (struck) => (stores) => {
  const { tasks, leases } = stores;
  const mistaken = async (end: EndedEntry): Promise<EndedEntry | null> => {
    const found = await tasks.load(end.name.taskId);
    if (found === null || !("task" in found) || found.task.status !== "claimed") return null;
    const name = nameOf(found.task);
    const lease = await leases.load(name);
    if (lease?.kind !== "live") return null;
    struck(name.taskId);
    // Later than what the worker knows of the lease.
    return { ...end, name, revision: lease.revision + 0.5 };
  };
  return withFaults({
    leases: {
      watch: (real) => (watch) =>
        real.watch({
          restarted: () => {
            watch.restarted();
          },
          current: () => {
            watch.current();
          },
          entry: (entry) => {
            watch.entry(entry);
            if (entry.kind !== "ended") return;
            mistaken(entry).then(
              (end) => {
                if (end !== null) watch.entry(end);
              },
              // At the end of a run, NATS can no longer be reached.
              () => undefined,
            );
          },
        }),
    },
  })(stores);
};

/** The work of a reconciler, as functions that can be called for any instance. */
interface WorkFunctions {
  readonly decide: (this: FollowUps, taskId: string) => FollowUp | Later | null;
  readonly perform: (this: FollowUps, taskId: string, action: FollowUp) => Promise<void>;
}

/** The reconciler does not look at a task again after its work, so what changed meanwhile is forgotten. */
export const forgottenWhileBusy =
  (mock: MockTracker): Bug =>
  (struck) => {
    const { decide, perform } = FollowUps.prototype as WorkFunctions;
    const worked = new Set<string>();
    const performAndNote: WorkFunctions["perform"] = async function (taskId, action) {
      await perform.call(this, taskId, action);
      worked.add(taskId);
    };
    // A task that is being worked on is not looked at, so the next look is the one after the work.
    const decideUnlessWorked: WorkFunctions["decide"] = function (taskId) {
      const due = decide.call(this, taskId);
      if (!worked.delete(taskId) || due === null) return due;
      struck(taskId);
      return null;
    };
    mock.method(FollowUps.prototype, "perform", performAndNote);
    mock.method(FollowUps.prototype, "decide", decideUnlessWorked);
    return (stores) => stores;
  };
