/** Which updates `watch` shows. */
import type { Command } from "commander";
import type { UpdateFilter } from "../../client/update-filter.ts";
import { EVENT_TYPES, type EventType, type TaskStatus } from "../../task/task.ts";
import { parseNames, parseStatuses } from "../shared/parse-names.ts";
import { collectList } from "../shared/parse-values.ts";
import { requireSession } from "../shared/session-option.ts";

export interface FilterOptions {
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
  /** What it does not compare. */
  wants(of: { readonly task_id: string }): boolean;
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
    .option("--mine", "the same for your session (--session or IF_COORDINATOR_SESSION)");
}

/** @throws UsageError if `--mine` has no session */
export function filterOf(options: FilterOptions): WatchFilter {
  const { prefix, status, type, task, mine } = options;
  const session = mine === true ? requireSession(options) : options.session;
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
    wants: ({ task_id }) => task === undefined || wanted.has(task_id),
  };
}

function parseTypes(text: string, before?: readonly EventType[]): readonly EventType[] {
  const full = collectList(text).map((name) => (name.startsWith("task_") ? name : `task_${name}`));
  return parseNames(full.join(), before, EVENT_TYPES);
}
