/** Verdicts on the tasks: what keeps them from being worked on. */
import { findCycle } from "../../../task/dependencies.ts";
import { count, duration, type Finding, found, ok, shortList } from "../finding.ts";

/** The part of a task's record that the checks need. */
export interface TaskBrief {
  readonly status: string;
  readonly dependsOn: readonly string[];
  readonly requires: readonly string[];
  readonly claimedBy: string | null;
  readonly attempt: number;
  readonly leaseEpoch: number;
  /** Epoch milliseconds; `null` if no session holds the task. */
  readonly claimedAt: number | null;
}

export interface TasksFacts {
  readonly byId: ReadonlyMap<string, TaskBrief>;
  /** Whether all tasks were read. */
  readonly isComplete: boolean;
}

/** @param deadEnds how many tasks wait for one that failed or was cancelled, as the workers count them */
export function judgeDependencies(tasks: TasksFacts, deadEnds: number): Finding[] {
  const findings = [
    ...judgeMissing(tasks),
    ...judgeCycle(tasks),
    ...judgeDeadEnds(tasks, deadEnds),
  ];
  if (findings.length > 0) return findings;
  const blocked = [...tasks.byId.values()].filter(({ status }) => status === "blocked").length;
  return [
    ok(
      (blocked === 0
        ? "no task is blocked"
        : `${count(blocked, "blocked task")}, each by tasks that can be done`) + asFarAs(tasks),
    ),
  ];
}

/** What an answer from a part of the tasks adds. */
function asFarAs({ isComplete }: TasksFacts): string {
  return isComplete ? "" : ", among the tasks that were read";
}

function judgeMissing({ byId, isComplete }: TasksFacts): Finding[] {
  if (!isComplete) return [];
  const waitingFor = new Map<string, string[]>();
  for (const [taskId, { status, dependsOn }] of byId) {
    if (status !== "blocked") continue;
    for (const id of dependsOn) {
      if (!byId.has(id)) addTo(waitingFor, id, taskId);
    }
  }
  if (waitingFor.size === 0) return [];
  const blocked = new Set([...waitingFor.values()].flat());
  const each = [...waitingFor].map(([id, taskIds]) => `${id} (for ${shortList(taskIds, 2)})`);
  const verb = blocked.size === 1 ? "waits" : "wait";
  const text = `${count(blocked.size, "task")} ${verb} for ids that do not exist: ${shortList(each)}`;
  return [found("missing_dependency", text, { task: [...blocked][0] ?? "" })];
}

function judgeCycle({ byId }: TasksFacts): Finding[] {
  const blocked = [...byId].filter(([, { status }]) => status === "blocked").map(([id]) => id);
  const cycle = findCycle(blocked, (id) => {
    const task = byId.get(id);
    return task?.status === "blocked" ? task.dependsOn : undefined;
  });
  if (cycle === null) return [];
  const path = cycle.length > 10 ? [...cycle.slice(0, 9), "...", ...cycle.slice(-1)] : cycle;
  return [found("cycle", path.join(" -> "), { task: cycle[0] ?? "" })];
}

function judgeDeadEnds({ byId }: TasksFacts, deadEnds: number): Finding[] {
  if (deadEnds === 0) return [];
  const failed = new Set<string>();
  for (const { status, dependsOn } of byId.values()) {
    if (status !== "blocked") continue;
    for (const id of dependsOn) {
      const other = byId.get(id)?.status;
      if (other === "failed" || other === "cancelled") failed.add(id);
    }
  }
  const verb = deadEnds === 1 ? "waits" : "wait";
  const text = `${count(deadEnds, "task")} ${verb} for tasks that failed or were cancelled: ${shortList([...failed])}`;
  return [found("dead_end", text, { task: [...failed][0] ?? "" })];
}

/** @param sessions the capabilities of each registered session */
export function judgeCapabilities(
  tasks: TasksFacts,
  sessions: readonly (readonly string[])[],
): Finding[] {
  const sets = sessions.map((capabilities) => new Set(capabilities));
  const unmet = new Map<string, string[]>();
  let requiring = 0;
  for (const [taskId, { status, requires }] of tasks.byId) {
    if (requires.length === 0 || (status !== "available" && status !== "blocked")) continue;
    requiring++;
    if (sets.some((set) => requires.every((capability) => set.has(capability)))) continue;
    const key = requires.join(" + ");
    addTo(unmet, key, taskId);
  }
  if (unmet.size === 0) {
    const verb = requiring === 1 ? "requires" : "require";
    const text =
      requiring === 0
        ? "no unfinished task requires one"
        : `a registered session can do each of ${count(requiring, "task")} that ${verb} some`;
    return [ok(text + asFarAs(tasks))];
  }
  const [first = ""] = unmet.keys();
  const each = [...unmet].map(([key, taskIds]) => `${key} (for ${shortList(taskIds, 2)})`);
  const text = `no registered session has ${shortList(each)}`;
  return [
    found("missing_capability", text, { capability: first.replaceAll(" + ", " --capability ") }),
  ];
}

/** A claim, and what its lease says. */
export interface HeldTask {
  readonly taskId: string;
  readonly session: string;
  readonly heldMs: number;
}

/** @param idle the claims without progress that are older than `overdueMs` */
export function judgeClaims(
  claimed: number,
  idle: readonly HeldTask[],
  overdueMs: number,
): Finding[] {
  if (idle.length > 0) {
    const sorted = idle.toSorted((a, b) => b.heldMs - a.heldMs);
    const each = sorted.map(
      ({ taskId, session, heldMs }) => `${taskId} by ${session} for ${duration(heldMs)}`,
    );
    const text = `held without a report of progress: ${shortList(each)}`;
    return [found("overdue_claim", text, { task: sorted[0]?.taskId ?? "" })];
  }
  if (claimed === 0) return [ok("no task is claimed")];
  return [
    ok(`${count(claimed, "claim")}, none without progress for more than ${duration(overdueMs)}`),
  ];
}

export interface LeaseFacts {
  readonly leases: number;
  readonly withoutClaim: readonly string[];
  readonly claimsWithoutLease: readonly string[];
}

export function judgeLeases({ leases, withoutClaim, claimsWithoutLease }: LeaseFacts): Finding[] {
  const findings: Finding[] = [];
  if (claimsWithoutLease.length > 0) {
    const text = `${count(claimsWithoutLease.length, "claim")} without a lease: ${shortList(claimsWithoutLease)}`;
    findings.push(found("claim_without_lease", text, { task: claimsWithoutLease[0] ?? "" }));
  }
  if (withoutClaim.length > 0) {
    const text = `${count(withoutClaim.length, "lease")} without a claim: ${shortList(withoutClaim)}`;
    findings.push(found("lease_without_claim", text, { task: withoutClaim[0] ?? "" }));
  }
  if (findings.length > 0) return findings;
  return [ok(`${count(leases, "lease")}; each belongs to a claim, and each claim has one`)];
}

/** @param corrupt how many values are not tasks, as the workers count them; `ids`: those that are known */
export function judgeRecords(
  tasks: TasksFacts,
  corrupt: number,
  ids: readonly string[],
): Finding[] {
  const findings: Finding[] = [];
  if (corrupt > 0) {
    const named = ids.length === 0 ? "" : `: ${shortList(ids)}`;
    const noun =
      corrupt === 1
        ? "1 value is not a task"
        : `${corrupt.toLocaleString("en")} values are not tasks`;
    findings.push(
      found("not_a_task", `${noun}${named}`, ids[0] === undefined ? {} : { task: ids[0] }),
    );
  }
  if (!tasks.isComplete) {
    findings.push(found("tasks_cut", `only ${count(tasks.byId.size, "task")} were read`));
  }
  if (findings.length > 0) return findings;
  return [
    ok(
      tasks.byId.size === 0
        ? "there are no tasks"
        : `${count(tasks.byId.size, "task")}, all readable`,
    ),
  ];
}

function addTo(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
