/**
 * What an agent must know to take part, in at most 1000 characters (less than 300 tokens), because it stays in
 * the agent's context. It contains no text of others: only ids and numbers.
 */
import { shortened } from "../shared/terminal-text.ts";

/** A model reads about 3.4 characters of such text as one token. */
export const MAX_CHARACTERS = 1_000;
const MAX_PROBLEM = 120;

export interface HeldTask {
  readonly task_id: string;
  readonly cancel_requested: boolean;
}

/** What the coordinator says at the moment, or why it says nothing. */
export type Situation =
  | { readonly held: readonly HeldTask[]; readonly has_more: boolean; readonly ready: number }
  | { readonly problem: string };

export interface Priming {
  readonly session: string;
  /** The options of every command, with the session. */
  readonly options: string;
  readonly situation: Situation;
}

export function primeText(priming: Priming): string {
  const whole = textOf(priming, "in each command");
  // With long options, naming them once saves the room for the rest.
  return whole.length <= MAX_CHARACTERS ? whole : textOf(priming, "once");
}

/**
 * The same for an agent with the tools of the MCP server, whose sessions and leases are not its concern.
 *
 * @param held the handles of its claims
 */
export function primeToolsText(held: readonly string[]): string {
  const first =
    "You share the tasks of this project with other agents, by the tools of if-coordinator. " +
    "Work only on tasks that you hold.";
  const rest =
    "Take a task with next_task, do the work, and end it with finish_task. Before you push or publish, call " +
    "report_progress: if the claim is lost, stop and publish nothing. Read the notices of each reply.";
  const room = MAX_CHARACTERS - first.length - rest.length - 2;
  return [first, heldText(held, false, " (see show_tasks)", room), rest].join("\n");
}

function textOf(
  { session, options, situation }: Priming,
  where: "in each command" | "once",
): string {
  const isOnce = where === "once";
  const suffix = isOnce ? "" : ` ${options}`;
  const who = isOnce ? "You" : `You are session ${session}. You`;
  const first = `${who} share tasks with other sessions. Work only on tasks that you hold.`;
  const rest = [
    ...(isOnce ? [`Add to each command: ${options}`] : []),
    `Take:     if-coordinator task next --ttl 30m --wait 1m${suffix}`,
    `Progress: if-coordinator task renew ID --progress "TEXT"${suffix}`,
    `Done:     if-coordinator task complete ID --result "TEXT"${suffix}`,
    `Failed:   if-coordinator task fail ID --error "WHY"${suffix}`,
    `Not now:  if-coordinator task release ID${suffix}`,
    "Renew every 10 minutes: a claim lasts 30. Exit codes: 5 no task now; 4 claim lost, so stop, " +
      "publish nothing, take another; 9 cancelled, so stop and release it.",
  ].join("\n");
  const room = MAX_CHARACTERS - first.length - rest.length - 2;
  return [first, situationText(situation, room), rest].join("\n");
}

function situationText(situation: Situation, room: number): string {
  if ("problem" in situation) {
    const start = "No coordinator answers. Until one does, commands exit with 7: ";
    return (
      start + shortened(situation.problem, Math.max(1, Math.min(MAX_PROBLEM, room - start.length)))
    );
  }
  const { held, has_more: hasMore, ready } = situation;
  const waiting = ` ${ready} ready ${ready === 1 ? "task waits" : "tasks wait"} for a session.`;
  const text = heldText(held.map(nameOf), hasMore, " (task list --mine)", room - waiting.length);
  return text + waiting;
}

/** As many names as fit, because a shortened id is of no use. */
function heldText(names: readonly string[], hasMore: boolean, where: string, room: number): string {
  if (names.length === 0) return "You hold no task.";
  for (let count = names.length; count > 0; count--) {
    const isAll = count === names.length && !hasMore;
    const text = `You hold ${names.slice(0, count).join(", ")}${isAll ? "" : ` and more${where}`}.`;
    if (text.length <= room) return text;
  }
  return `You hold tasks${where}.`;
}

function nameOf({ task_id: id, cancel_requested: isCancelled }: HeldTask): string {
  return isCancelled ? `${id} (cancelled)` : id;
}
