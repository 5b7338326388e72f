/** What a command shows of an explanation: the tree and the ends with the reason of each task. */
import type { BlockingChain, Found } from "./blocking-chain.ts";
import type { Explanation, TreeNode } from "./explanation.ts";
import { type Demand, isDue, type Lease, type Reason, reasonOf } from "./reasons.ts";

/** The ends that are described one by one. */
export const MAX_ENDS = 20;
/** Ids in a list of the JSON document, such as the blockers of one task. */
const MAX_IDS = 20;

export interface DescribedTask {
  readonly task_id: string;
  /** Empty if there is no such task. */
  readonly title: string;
  /** `null` if there is no such task. */
  readonly status: string | null;
  readonly reason: Reason;
}

export interface DescribedNode extends DescribedTask {
  readonly node: TreeNode;
}

/** How an end of the chain can be counted. */
export type EndKind =
  | "claimed"
  | "ready"
  | "delayed"
  | "failed"
  | "cancelled"
  | "missing"
  | "unreadable"
  | "unblocking";

export interface Report {
  readonly root: DescribedTask;
  readonly tree: readonly DescribedNode[];
  /** The first ends. */
  readonly ends: readonly DescribedTask[];
  /** The ids of all ends, by kind. */
  readonly endsByKind: ReadonlyMap<EndKind, readonly string[]>;
  readonly endsTotal: number;
  readonly total: number;
  readonly cycle: readonly string[] | null;
}

/** What was read in addition to the chain. */
export interface ReportContext {
  readonly now: number;
  readonly demand: Demand;
  /** The leases of the tasks that `described` names. */
  readonly leases: ReadonlyMap<string, Lease | null>;
}

/** The ids whose reasons a report contains. */
export function described({ tree, ends }: Explanation): Set<string> {
  return new Set([...tree.map(({ id }) => id), ...ends.slice(0, MAX_ENDS)]);
}

export function makeReport(
  chain: BlockingChain,
  explanation: Explanation,
  context: ReportContext,
): Report {
  const { tree, ends, cycle, total } = explanation;
  const inCycle = new Set(cycle ?? []);
  const describe = (id: string): DescribedTask => {
    const found = chain.get(id);
    return {
      task_id: id,
      title: typeof found === "string" ? "" : found.title,
      status: typeof found === "string" ? null : found.status,
      reason: reasonOf(found, {
        now: context.now,
        demand: context.demand,
        blockers: chain.blockersOf(id).length,
        isInCycle: inCycle.has(id),
        lease: context.leases.get(id) ?? null,
      }),
    };
  };
  return {
    root: describe(chain.root),
    tree: tree.map((node) => ({ ...describe(node.id), node })),
    ends: ends.slice(0, MAX_ENDS).map(describe),
    endsByKind: byKind(ends, (id) => kindOf(chain.get(id), context.now)),
    endsTotal: ends.length,
    total,
    cycle,
  };
}

function byKind(
  ids: readonly string[],
  kindOfId: (id: string) => EndKind,
): ReadonlyMap<EndKind, readonly string[]> {
  const groups = new Map<EndKind, string[]>();
  for (const id of ids) {
    const kind = kindOfId(id);
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [id]);
    else group.push(id);
  }
  return groups;
}

function kindOf(found: Found, now: number): EndKind {
  if (typeof found === "string") return found;
  switch (found.status) {
    case "available":
      return isDue(found, now) ? "ready" : "delayed";
    case "blocked":
      return "unblocking";
    // Only the root can be complete, and it is then the only task of the report.
    case "complete":
    case "claimed":
      return "claimed";
    default:
      return found.status;
  }
}

/** The report for programs. Its size is bounded. */
export function toDocument(report: Report, summary: string): object {
  const { root, tree, ends, endsTotal, total, cycle } = report;
  return {
    task_id: root.task_id,
    status: root.status,
    reason: root.reason,
    summary,
    blocked_by_total: total,
    chain: tree.map(({ node, ...task }) => ({
      ...task,
      level: node.level,
      blocked_by: node.blockers.slice(0, MAX_IDS),
      blocked_by_total: node.blockers.length,
      not_shown: node.hidden,
    })),
    ends,
    ends_total: endsTotal,
    cycle: cycle?.slice(0, MAX_IDS) ?? null,
  };
}
