/** `if-coordinator task next`: claims the most urgent ready tasks, and waits for one if asked to. */
import type { Command } from "commander";
import type { Calls } from "../../client/calls.ts";
import { nextClaims } from "../../client/next-claims.ts";
import type { Reply, RequestInput } from "../../protocol/operations.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption } from "../shared/data.ts";
import { ExitError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { collectList, parseCount, parseDuration, parseSeconds } from "../shared/parse-values.ts";
import { addQuietOption, type QuietOptions, showOrIds } from "../shared/quiet-option.ts";
import { addSessionOption, requireSession } from "../shared/session-option.ts";
import { formatNothing } from "./format-change.ts";
import { formatClaim } from "./format-task.ts";
import { addInstanceOption, type InstanceOption } from "./holder-options.ts";

interface NextOptions extends ConnectionOptions, QuietOptions, InstanceOption {
  /** Milliseconds. */
  readonly wait?: number;
  readonly max?: number;
  readonly prefix?: string;
  readonly tag?: string[];
  readonly capability?: string[];
  readonly ttl?: number;
}

/** One request can wait for 60 s. */
const LONGEST_WAIT_SECONDS = 60;

export function define(command: Command): void {
  addInstanceOption(addSessionOption(command))
    .option("--wait <duration>", "how long to wait for a task (default: not at all)", parseDuration)
    .option("--max <n>", "the most tasks to claim, up to 100 (default: 1)", parseCount)
    .option("--prefix <text>", "only tasks whose id begins with this")
    .option("--tag <name,...>", "only tasks that have all of these tags", collectList)
    .option("--capability <name,...>", "what the session can do", collectList)
    .option("--ttl <duration>", "length of the lease, such as 10m (default: 5m)", parseSeconds);
  addConnectionOptions(addJsonOption(addQuietOption(command))).action(next);
  addExamples(command, [
    "task next --session s1",
    "id=$(if-coordinator task next -s s1 --wait 10m --quiet) && ./work.sh $id",
    "task next -s s1 --prefix P0. --capability python,gpu --max 5 --json",
  ]);
}

async function next(options: NextOptions): Promise<void> {
  const { max, prefix, tag: tags, capability: capabilities, ttl, instance } = options;
  const request_id = crypto.randomUUID();
  const fields = { max, prefix, tags, capabilities, ttl_seconds: ttl, instance, request_id };
  const input = { session_id: requireSession(options), ...givenFields(fields) };
  await withCalls(options, async ({ calls }) => {
    const reply = await waitForClaims(calls, input, (options.wait ?? 0) / 1_000);
    const isNothing = reply.claims.length === 0;
    if (isNothing && options.json !== true) {
      throw new ExitError(EXIT.nothingToDo, formatNothing(reply));
    }
    const ids = reply.claims.map(({ task }) => task.task_id);
    await showOrIds(options, reply, ids, () => reply.claims.map(formatClaim).join("\n"));
    if (isNothing) process.exitCode = EXIT.nothingToDo;
  });
}

/** All requests have the same id, so that the claims of a lost answer come with the next one. */
async function waitForClaims(
  calls: Calls,
  input: RequestInput<"tasks.next">,
  seconds: number,
): Promise<Reply<"tasks.next">> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const left = Math.max(0, (end - performance.now()) / 1_000);
    const wait_seconds = Math.min(left, LONGEST_WAIT_SECONDS);
    const reply = await nextClaims(calls, { ...input, wait_seconds });
    if (reply.claims.length > 0 || left <= LONGEST_WAIT_SECONDS) return reply;
  }
}
