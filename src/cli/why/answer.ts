/** A report as text: the answer in one sentence, the chain as an indented tree, and commands that help. */
import { counted } from "../shared/counted.ts";
import { shellWord } from "../shared/shell-word.ts";
import { printable, shortened } from "../shared/terminal-text.ts";
import type { TreeNode } from "./explanation.ts";
import type { Reason, ReasonCode } from "./reasons.ts";
import type { DescribedNode, DescribedTask, EndKind, Report } from "./report.ts";
import { joined, listed, phrase } from "./words.ts";

const MAX_TITLE = 40;
const MAX_HELP = 5;

/** The first line of the answer. */
export function summaryOf(report: Report, now: number): string {
  const { root, ends, endsTotal, total, cycle } = report;
  const { code } = root.reason;
  if (code !== "blocked" && code !== "cycle") return `${root.task_id} ${clause(root.reason, now)}.`;
  if (endsTotal === 0) {
    return `${root.task_id} can never start, because dependencies form a cycle: ${arrows(cycle)}.`;
  }
  const loop = cycle === null ? "" : `, and a cycle that never ends: ${arrows(cycle)}`;
  const [end] = ends;
  if (end !== undefined && endsTotal === 1) {
    const chain = total === 1 ? "" : `${counted(total, "task")}, which all wait for `;
    return `${root.task_id} is blocked by ${chain}${end.task_id}, which ${clause(end.reason, now)}${loop}.`;
  }
  const all =
    total === endsTotal
      ? counted(total, "task")
      : `${counted(total, "task")}, of which ${endsTotal} come first`;
  return `${root.task_id} is blocked by ${all}: ${kinds(report)}${loop}.`;
}

/** In the order in which they are named: first what needs a decision. */
const KINDS: Readonly<Record<EndKind, string>> = {
  failed: "failed",
  cancelled: "cancelled",
  missing: "missing",
  unreadable: "unreadable",
  claimed: "claimed",
  ready: "ready",
  delayed: "not due yet",
  unblocking: "about to be unblocked",
};

/** `1 failed (c) and 2 claimed (a, b)`. */
function kinds({ endsByKind }: Report): string {
  const parts = (Object.keys(KINDS) as EndKind[]).flatMap((kind) => {
    const ids = endsByKind.get(kind) ?? [];
    return ids.length === 0 ? [] : [`${ids.length} ${KINDS[kind]} (${listed(ids)})`];
  });
  return joined(parts);
}

function arrows(cycle: readonly string[] | null): string {
  const ids = cycle ?? [];
  return ids.length <= 6
    ? ids.join(" -> ")
    : `${ids.slice(0, 3).join(" -> ")} -> … (${counted(ids.length - 1, "task")})`;
}

/** Verbs that turn a phrase into a clause. Codes that are missing have a verb in their phrase. */
const VERBS: Partial<Record<ReasonCode, string>> = {
  claimed: "is ",
  complete: "is ",
  cancelled: "was ",
  blocked: "is ",
  cycle: "is ",
  unblocking: "is ",
  scheduled: "is ",
  given_back: "was ",
  missing_capabilities: "is ",
  no_sessions: "is ",
  sessions_busy: "is ",
  nobody_asks: "is ",
  not_chosen: "is ",
};

function clause(reason: Reason, now: number): string {
  return `${VERBS[reason.code] ?? ""}${phrase(reason, now)}`;
}

/** The lines of the tree. Empty if nothing blocks the root. */
export function treeLines({ tree }: Report, now: number): string[] {
  if (tree.length < 2) return [];
  const lines: string[] = [];
  /** The tasks above the current one that have blockers which are not shown, the nearest last. */
  const open: TreeNode[] = [];
  const close = (level: number): void => {
    for (let top = open.at(-1); top !== undefined && top.level >= level; top = open.at(-1)) {
      open.pop();
      lines.push(`${"  ".repeat(top.level + 1)}… and ${top.hidden} more`);
    }
  };
  for (const task of tree) {
    close(task.node.level);
    lines.push(lineOf(task, now));
    if (task.node.hidden > 0) open.push(task.node);
  }
  close(0);
  return lines;
}

function lineOf({ node, reason, title, task_id: id }: DescribedNode, now: number): string {
  const name = title === "" ? id : `${id} (${shortened(printable(title), MAX_TITLE)})`;
  const also = node.elsewhere.length === 0 ? "" : ` (${listed(node.elsewhere)}: shown elsewhere)`;
  return `${"  ".repeat(node.level)}${name}: ${phrase(reason, now)}${also}`;
}

/** Commands for what needs a decision, with what each is for. */
export function helpLines({ root, ends, cycle }: Report): string[] {
  const helps = (ends.length === 0 ? [root] : ends).flatMap(helpFor);
  if (cycle !== null) {
    helps.push({
      command: "task update",
      purpose: `take one dependency out of the cycle ${arrows(cycle)}`,
    });
  }
  const kept = [...new Map(helps.map((help) => [help.command, help])).values()].slice(0, MAX_HELP);
  const width = Math.max(0, ...kept.map(({ command }) => command.length));
  return kept.map(
    ({ command, purpose }) => `  if-coordinator ${command.padEnd(width)}  # ${purpose}`,
  );
}

interface Help {
  readonly command: string;
  readonly purpose: string;
}

function helpFor({ task_id: id, reason }: DescribedTask): Help[] {
  switch (reason.code) {
    case "failed":
    case "cancelled":
      return [{ command: `task requeue ${id}`, purpose: "try it again" }];
    case "retry_delay":
      return [{ command: `task requeue ${id}`, purpose: "try it again now" }];
    case "missing":
      return [{ command: `task create ${id}`, purpose: "create the missing task" }];
    case "unreadable":
      return [{ command: "doctor", purpose: `says what is wrong with the record of ${id}` }];
    case "missing_capabilities": {
      const options = reason.requires.map((name) => `--capability ${shellWord(name)}`).join(" ");
      return [
        { command: `run ${options} -- COMMAND`, purpose: `start a session that can do ${id}` },
      ];
    }
    case "no_sessions":
      return [{ command: "run -- COMMAND", purpose: "start a session that takes tasks" }];
    case "sessions_busy":
    case "nobody_asks":
      return [{ command: "run -- COMMAND", purpose: "start another session that takes tasks" }];
    default:
      return [];
  }
}
