/** What `transition` answers to each command in each status, as the table of docs/states.md says it. */
import type { Command } from "../../src/task/commands.ts";
import { type Task, TASK_STATUSES, type TaskStatus } from "../../src/task/task.ts";
import { transition } from "../../src/task/transition.ts";
import * as sample from "../task/sample-task.ts";

const HOLDER = "alice";
const OTHER = "bob";

interface Case {
  readonly name: string;
  readonly command: Command;
  /** What else is so of the task. */
  readonly given?: Partial<Task>;
  /** Statuses in which this can happen. Default: all. */
  readonly only?: readonly TaskStatus[];
}

const held = sample.claimedTask();
const released = sample.written(held, sample.release(HOLDER, "available"));

/** One task of each status. The holder holds it or has held it, under attempt 1. */
const TASKS: Readonly<Record<TaskStatus, Task>> = {
  blocked: sample.written(released, { type: "settle_dependencies", unmet: ["P0.1.5"] }),
  available: released,
  claimed: held,
  complete: sample.written(held, sample.release(HOLDER, "complete")),
  failed: sample.written(held, sample.release(HOLDER, "failed", { retry: false })),
  cancelled: sample.written(held, sample.cancel({ force: true })),
};

const askedToStop = { given: { cancelRequested: true }, only: ["claimed"] } as const;
const renewedMeanwhile = { given: { leaseEpoch: 1 }, only: ["claimed"] } as const;
const lastFailure = { given: { failures: 2 }, only: ["claimed"] } as const;
const lastLease = { given: { lostLeases: 9 }, only: ["claimed"] } as const;

function release(
  outcome: "available" | "complete" | "failed",
  overrides: Parameters<typeof sample.release>[2] = {},
): Command {
  return sample.release(HOLDER, outcome, { attempt: 1, ...overrides });
}

function update(changes: Partial<Task>, unmet: readonly string[]): Command {
  return { type: "update", sessionId: null, changes, unmet };
}

const CASES: readonly Case[] = [
  { name: "claim by another session", command: sample.claim(OTHER) },
  { name: "claim by the holder", command: sample.claim(HOLDER) },
  {
    name: "claim by another instance of the holder",
    command: sample.claim(HOLDER, { instance: "i2" }),
    given: { claimInstance: "i1" },
    only: ["claimed"],
  },
  {
    name: "claim before not_before",
    command: sample.claim(OTHER),
    given: { notBefore: sample.NOW + 1 },
    only: ["available"],
  },
  {
    name: "claim without a required capability",
    command: sample.claim(OTHER),
    given: { requires: ["gpu"] },
    only: ["available"],
  },
  { name: "release to complete", command: release("complete") },
  { name: "release to available", command: release("available") },
  { name: "release to failed", command: release("failed") },
  { name: "release to failed, the last failure", command: release("failed"), ...lastFailure },
  {
    name: "release to failed with retry: false",
    command: release("failed", { retry: false }),
    only: ["claimed"],
  },
  { name: "release to complete, asked to stop", command: release("complete"), ...askedToStop },
  { name: "release to available, asked to stop", command: release("available"), ...askedToStop },
  { name: "release to failed, asked to stop", command: release("failed"), ...askedToStop },
  { name: "release by another session", command: sample.release(OTHER, "complete") },
  {
    name: "release by another instance of the holder",
    command: release("complete", { instance: "i2" }),
    given: { claimInstance: "i1" },
    only: ["claimed"],
  },
  { name: "expiry", command: sample.expire() },
  { name: "expiry of the last lease", command: sample.expire(), ...lastLease },
  { name: "expiry, asked to stop", command: sample.expire(), ...askedToStop },
  { name: "expiry of another attempt", command: sample.expire({ attempt: 2 }) },
  { name: "expiry, renewed meanwhile", command: sample.expire(), ...renewedMeanwhile },
  { name: "session replaced", command: sample.replaceSession() },
  { name: "session replaced, asked to stop", command: sample.replaceSession(), ...askedToStop },
  { name: "session replaced, another attempt", command: sample.replaceSession({ attempt: 2 }) },
  { name: "renewal after the end of the lease", command: sample.revive(HOLDER) },
  {
    name: "renewal after the end of the lease, repeated",
    command: sample.revive(HOLDER),
    ...renewedMeanwhile,
  },
  {
    name: "renewal after the end of the lease, of another attempt",
    command: sample.revive(HOLDER, { attempt: 2 }),
  },
  { name: "renewal after the end of the lease, by another session", command: sample.revive(OTHER) },
  { name: "all dependencies complete", command: { type: "settle_dependencies", unmet: [] } },
  { name: "a dependency incomplete", command: { type: "settle_dependencies", unmet: ["x"] } },
  { name: "update", command: update({ title: "New" }, []) },
  {
    name: "update of depends_on, all complete",
    command: update({ dependsOn: ["x"] }, []),
  },
  {
    name: "update of depends_on, one incomplete",
    command: update({ dependsOn: ["x"] }, ["x"]),
  },
  {
    name: "update of not_before",
    command: update({ notBefore: sample.NOW + 1 }, []),
  },
  { name: "cancel", command: sample.cancel() },
  { name: "cancel, asked to stop", command: sample.cancel(), ...askedToStop },
  { name: "cancel with force", command: sample.cancel({ force: true }) },
  { name: "requeue", command: sample.requeue() },
  {
    name: "requeue after a failed attempt",
    command: sample.requeue(),
    given: { failures: 1 },
    only: ["available"],
  },
  {
    name: "requeue after a lost lease",
    command: sample.requeue(),
    given: { lostLeases: 1 },
    only: ["available"],
  },
  { name: "requeue, a dependency incomplete", command: sample.requeue({ unmet: ["x"] }) },
];

/** The rows of the table, as `table` of test/support/markdown.ts reads them. */
export function stateTable(): Record<string, string>[] {
  return CASES.map((what) => ({
    Command: what.name,
    ...Object.fromEntries(TASK_STATUSES.map((status) => [status, cell(what, status)])),
  }));
}

function cell({ command, given = {}, only = TASK_STATUSES }: Case, status: TaskStatus): string {
  if (!only.includes(status)) return "";
  const decision = transition({ ...TASKS[status], ...given }, command, sample.CONTEXT);
  switch (decision.kind) {
    case "write":
      return `${decision.task.status}, ${decision.task.lastEvent?.type ?? ""}`;
    case "unchanged":
      return "unchanged";
    case "refused":
      return decision.refusal.code;
  }
}
