/**
 * The explanation of a chain: a part of it as a tree of bounded size, in which each task is shown once, and
 * all tasks at which the chain ends. These can move, or need a decision; everything else waits for them.
 */
import { findCycle } from "../../task/dependencies.ts";
import type { BlockingChain } from "./blocking-chain.ts";

export interface TreeLimits {
  /** Levels below the root. */
  readonly depth: number;
  /** Tasks in the whole tree. */
  readonly limit: number;
}

/** At most so many blockers are shown below one task. */
export const MAX_BRANCHES = 10;

export interface TreeNode {
  readonly id: string;
  /** 0 for the root. */
  readonly level: number;
  /** All direct blockers. */
  readonly blockers: readonly string[];
  /** Blockers that are shown at another place. */
  readonly elsewhere: readonly string[];
  /** How many blockers are not shown. */
  readonly hidden: number;
}

export interface Explanation {
  /** The root first, and each task before those that block it. */
  readonly tree: readonly TreeNode[];
  /** The tasks that no other task of the chain blocks. Those that need a decision come first. */
  readonly ends: readonly string[];
  /** A cycle of dependencies as `[a, b, a]`. Only records that were written by hand can have one. */
  readonly cycle: readonly string[] | null;
  /** The tasks that block the root, directly or through others. */
  readonly total: number;
}

export function explain(chain: BlockingChain, limits: TreeLimits): Explanation {
  const ids = [...chain.ids()];
  const blockersOf = (id: string): string[] => chain.blockersOf(id);
  return {
    tree: treeOf(chain, limits),
    ends: mostUrgentFirst(
      chain,
      ids.filter((id) => blockersOf(id).length === 0),
    ),
    cycle: findCycle([chain.root], blockersOf),
    total: ids.length - 1,
  };
}

interface Branch extends Omit<TreeNode, "elsewhere" | "hidden"> {
  readonly children: Branch[];
}

/** Level by level, so that a task is shown where the chain to it is shortest. */
function treeOf(chain: BlockingChain, { depth, limit }: TreeLimits): TreeNode[] {
  const root = branch(chain, chain.root, 0);
  const placed = new Set([root.id]);
  const queue = [root];
  for (const parent of queue) {
    if (parent.level === depth) break;
    const fresh = parent.blockers.filter((id) => !placed.has(id));
    const room = Math.max(0, Math.min(MAX_BRANCHES, limit - placed.size));
    for (const id of mostUrgentFirst(chain, fresh).slice(0, room)) {
      placed.add(id);
      const child = branch(chain, id, parent.level + 1);
      parent.children.push(child);
      queue.push(child);
    }
  }
  return flatten(root, placed);
}

function branch(chain: BlockingChain, id: string, level: number): Branch {
  return { id, level, blockers: chain.blockersOf(id), children: [] };
}

/** Each branch before its children. Iterative, because a deep chain must not exhaust the stack. */
function flatten(root: Branch, placed: ReadonlySet<string>): TreeNode[] {
  const tree: TreeNode[] = [];
  const stack = [root];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { id, level, blockers, children } = top;
    const below = new Set(children.map((child) => child.id));
    const others = blockers.filter((blocker) => !below.has(blocker));
    const elsewhere = others.filter((blocker) => placed.has(blocker));
    const hidden = others.length - elsewhere.length;
    tree.push({ id, level, blockers, elsewhere, hidden });
    stack.push(...children.toReversed());
  }
  return tree;
}

/** What needs a decision, then what can move, then what is blocked itself. Otherwise in the given order. */
function mostUrgentFirst(chain: BlockingChain, ids: readonly string[]): string[] {
  const ranked = ids.map((id) => ({ id, rank: rankOf(chain, id) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ id }) => id);
}

const RANKS = {
  unreadable: 0,
  missing: 0,
  failed: 0,
  cancelled: 0,
  claimed: 1,
  available: 1,
  blocked: 2,
  complete: 3,
};

function rankOf(chain: BlockingChain, id: string): number {
  const found = chain.get(id);
  return RANKS[typeof found === "string" ? found : found.status];
}
