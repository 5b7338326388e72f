/** `if-coordinator task list`: the tasks that fit some filters, in order of creation. */
import { type Command, Option } from "commander";
import type { TaskStatus } from "../../task/task.ts";
import { listOutput } from "../list/task-output.ts";
import { fits } from "../list/task-rows.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonlOption, addJsonOption, type OutputOptions } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { printError } from "../shared/output.ts";
import { parseStatuses } from "../shared/parse-names.ts";
import { collectList, parseCount, parseSessionId, parseText } from "../shared/parse-values.ts";
import { addSessionOption, requireSession, type SessionOption } from "../shared/session-option.ts";
import { type TaskFilter, taskPages } from "../shared/task-pages.ts";

interface ListOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly status?: readonly TaskStatus[];
  readonly ready?: boolean;
  readonly prefix?: string;
  readonly tag?: readonly string[];
  readonly capability?: readonly string[];
  readonly holder?: string;
  readonly mine?: boolean;
  readonly createdBy?: string;
  readonly deadEnds?: boolean;
  readonly limit?: number;
  readonly headers: boolean;
}

export function define(command: Command): void {
  command
    .option("--status <status,...>", "only tasks in one of these statuses", parseStatuses)
    .addOption(new Option("--ready", "only tasks that a session can claim now").conflicts("status"))
    .option("--prefix <prefix>", "only tasks whose id begins with this", parseText)
    .option("--tag <name,...>", "only tasks that have all of these tags", collectList)
    .option(
      "--capability <name,...>",
      "only tasks that a session with these capabilities can claim",
      collectList,
    )
    .option("--holder <session>", "only tasks that this session holds", parseSessionId)
    .addOption(new Option("--mine", "only tasks that your session holds").conflicts("holder"))
    .option(
      "--created-by <author>",
      "only tasks that an agent (agent.s1), operator (operator.ann) or session (session.lead) has created",
      parseText,
    )
    .option("--dead-ends", "only blocked tasks that wait for a failed or cancelled task")
    .option("--limit <n>", "at most so many tasks", parseCount)
    .option("--no-headers", "without the names of the columns");
  addSessionOption(command);
  addConnectionOptions(addJsonlOption(addJsonOption(command))).action(list);
  addExamples(command, [
    "task list",
    "task list --ready --prefix P0. --limit 10",
    "task list --mine --session s1",
    "task list --created-by agent.s1",
    "task list --status failed --jsonl | jq -r .task_id",
  ]);
}

async function list(options: ListOptions): Promise<void> {
  const filter = requestOf(options);
  const local = { isDue: options.ready === true, capabilities: options.capability ?? null };
  const isFiltered = local.isDue || local.capabilities !== null;
  const { limit = Infinity, headers } = options;
  const width = process.stdout.isTTY ? process.stdout.columns : Infinity;
  const output = listOutput(options, { headers, width });
  await withCalls(options, async ({ calls }) => {
    let printed = 0;
    const pages = limit === 0 ? [] : taskPages(calls, filter, isFiltered ? undefined : limit);
    for await (const page of pages) {
      const now = Date.now();
      const wanted = page.filter((task) => fits(task, local, now)).slice(0, limit - printed);
      if (wanted.length > 0) await output.page(wanted);
      printed += wanted.length;
      if (printed === limit) break;
    }
    await output.end();
    if (printed === 0 && options.json !== true && options.jsonl !== true) {
      printError("if-coordinator: no task found");
    }
  });
}

function requestOf(options: ListOptions): TaskFilter {
  const { status, ready, prefix, tag, createdBy, deadEnds } = options;
  const holder = options.mine === true ? requireSession(options) : options.holder;
  return {
    ...(status === undefined ? {} : { status: [...status] }),
    ...(ready === true ? { status: "available" } : {}),
    ...(prefix === undefined ? {} : { prefix }),
    ...(tag === undefined ? {} : { tags: [...tag] }),
    ...(holder === undefined ? {} : { claimed_by: holder }),
    ...(createdBy === undefined ? {} : { created_by: createdBy }),
    ...(deadEnds === true ? { dead_end: true } : {}),
  };
}
