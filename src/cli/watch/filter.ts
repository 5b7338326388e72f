/** Which updates `watch` shows. */
import type { Command } from "commander";
import type { UpdateFilter } from "../../client/update-filter.ts";
import { agentSessionOfClient } from "../../config/agent-session.ts";
import type { ConnectionFlags } from "../../config/client-settings.ts";
import { EVENT_TYPES, type EventType, type TaskStatus } from "../../task/task.ts";
import { ownedSession } from "../mcp/owned-session.ts";
import { parseNames, parseStatuses } from "../shared/parse-names.ts";
import { collectList } from "../shared/parse-values.ts";
import { requireSession, sessionOf } from "../shared/session-option.ts";

export interface FilterOptions extends ConnectionFlags {
  readonly prefix?: string;
  readonly status?: readonly TaskStatus[];
  readonly type?: readonly EventType[];
  readonly task?: readonly string[];
  readonly session?: string;
  readonly mine?: boolean;
}

export interface WatchFilter {
  /** What the subscription compares. */
  readonly forSubscription: UpdateFilter;
  readonly wantsRemovals: boolean;
  /** The session of the coding agent that runs the command: those of its subagents begin with it and a dot. */
  readonly agent: string | null;
  /** What it does not compare. */
  wants(of: Filtered): boolean;
}

interface Filtered {
  readonly task_id: string;
  /** A removal has neither. */
  readonly session_id?: string | null;
  readonly claimed_by?: string | null;
}

export function addFilterOptions(command: Command): Command {
  return command
    .option("--prefix <prefix>", "only tasks whose id begins with this")
    .option("--task <id,...>", "only these tasks", collectList)
    .option("--status <status,...>", "only tasks that now have this status", parseStatuses)
    .option(
      "--type <type,...>",
      "only these events, such as completed or task_completed",
      parseTypes,
    )
    .option("-s, --session <id>", "only what this session causes or holds")
    .option(
      "--mine",
      "the same for your session: --session, IF_COORDINATOR_SESSION, or that of the coding agent",
    );
}

/** @throws UsageError if `--mine` has no session */
export function filterOf(options: FilterOptions): WatchFilter {
  const { prefix, status, type, task, mine } = options;
  const agent = mine === true && sessionOf(options) === undefined ? agentOf(options) : null;
  const session = mine === true ? (agent ?? requireSession(options)) : options.session;
  const [only, ...others] = task ?? [];
  const wanted = new Set(task);
  const isByEvent = [status, type, session].some((part) => part !== undefined);
  return {
    forSubscription: {
      // A single task is not decoded if its id does not fit.
      prefix: prefix ?? (others.length === 0 ? (only ?? "") : ""),
      ...(status === undefined ? {} : { status }),
      ...(type === undefined ? {} : { type }),
      ...(session === undefined ? {} : { session }),
    },
    // A removal has no status, no event and no session.
    wantsRemovals: !isByEvent,
    agent,
    wants: ({ task_id }) => task === undefined || wanted.has(task_id),
  };
}

/** `null`: no client of a coding agent says in the environment which session it has. */
function agentOf(options: FilterOptions): string | null {
  const session = agentSessionOfClient();
  return session === undefined ? null : ownedSession(session, options);
}

/** The filter for an agent with its subagents, whose names are not known before. */
export function withSubagents(filter: WatchFilter): WatchFilter {
  const { agent } = filter;
  if (agent === null) return filter;
  const isOfAgent = (session: string | null | undefined): boolean =>
    session === agent || session?.startsWith(`${agent}.`) === true;
  return {
    ...filter,
    forSubscription: Object.fromEntries(
      Object.entries(filter.forSubscription).filter(([part]) => part !== "session"),
    ),
    wants: (update) =>
      filter.wants(update) && (isOfAgent(update.session_id) || isOfAgent(update.claimed_by)),
  };
}

function parseTypes(text: string, before?: readonly EventType[]): readonly EventType[] {
  const full = collectList(text).map((name) => (name.startsWith("task_") ? name : `task_${name}`));
  return parseNames(full.join(), before, EVENT_TYPES);
}
