/** `if-coordinator session list`: the registered sessions, in the order of their ids. */
import type { Command } from "commander";
import type { Calls } from "../../client/calls.ts";
import type { Reply } from "../../protocol/operations.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { printError } from "../shared/output.ts";
import { parseCount } from "../shared/parse-values.ts";
import { formatSessions } from "./format-session.ts";

interface ListOptions extends ConnectionOptions, OutputOptions {
  readonly prefix?: string;
  readonly limit: number;
  readonly cursor?: string;
}

/** The most that one reply has. */
const PAGE = 1_000;

export function define(command: Command): void {
  command
    .option("--prefix <prefix>", "only sessions whose id begins with this")
    .option("--limit <n>", "at most so many sessions", parseCount, 100)
    .option("--cursor <cursor>", "continue after an earlier list");
  addConnectionOptions(addJsonOption(command)).action(list);
  addExamples(command, [
    "session list",
    "session list --prefix agent- --limit 1000 --json | jq '.sessions[].session_id'",
  ]);
}

async function list(options: ListOptions): Promise<void> {
  await withCalls(options, async ({ calls }) => {
    const reply = await readPages(calls, options);
    if (reply.sessions.length === 0 && options.json !== true) {
      printError("if-coordinator: no session found");
      return;
    }
    await show(options, reply, () => formatSessions(reply.sessions, Date.now()));
    if (reply.next_cursor === null || options.json === true) return;
    printError(
      `if-coordinator: there are more: raise --limit, or continue with --cursor '${reply.next_cursor}'`,
    );
  });
}

/** As many pages as the limit needs, as one reply. */
async function readPages(
  calls: Calls,
  { prefix, limit, cursor }: ListOptions,
): Promise<Reply<"sessions.list">> {
  const sessions: Reply<"sessions.list">["sessions"] = [];
  let next = cursor;
  for (;;) {
    const body = {
      limit: Math.min(limit - sessions.length, PAGE),
      ...(prefix === undefined ? {} : { prefix }),
      ...(next === undefined ? {} : { cursor: next }),
    };
    const page = await calls.call("sessions.list", undefined, () => body);
    sessions.push(...page.sessions);
    next = page.next_cursor ?? undefined;
    if (next === undefined || sessions.length >= limit) return { ...page, sessions };
  }
}
