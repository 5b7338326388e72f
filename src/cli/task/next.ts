/** `if-coordinator task next`: claims the most urgent ready tasks, and waits for one if asked to. */
import type { Command } from "commander";
import type { CallOptions } from "../../client/call-options.ts";
import type { Calls } from "../../client/calls.ts";
import { nextClaims } from "../../client/next-claims.ts";
import { hasCode } from "../../client/task-error.ts";
import type { Reply, RequestInput } from "../../protocol/operations.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption } from "../shared/data.ts";
import { ExitError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { interruptible, signalOf } from "../shared/interruptible.ts";
import { printError } from "../shared/output.ts";
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

type NextInput = RequestInput<"tasks.next">;

/** One request can wait for 60 s. */
const LONGEST_WAIT_SECONDS = 60;
/** How long a command that was interrupted tries to give back what it has claimed. */
const GIVE_BACK_MS = 3_000;

export function define(command: Command): void {
  addInstanceOption(addSessionOption(command))
    .option("--wait <duration>", "how long to wait for a task (default: not at all)", parseDuration)
    .option("--max <n>", "the most tasks to claim, up to 100 (default: 1)", parseCount)
    .option("--prefix <prefix>", "only tasks whose id begins with this")
    .option("--tag <name,...>", "only tasks that have all of these tags", collectList)
    .option("--capability <name,...>", "what the session can do; can be repeated", collectList)
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
    const reply = await claimUnlessInterrupted(calls, input, (options.wait ?? 0) / 1_000);
    const isNothing = reply.claims.length === 0;
    if (isNothing && options.json !== true) {
      throw new ExitError(EXIT.nothingToDo, formatNothing(reply));
    }
    const ids = reply.claims.map(({ task }) => task.task_id);
    await showOrIds(options, reply, ids, () => reply.claims.map(formatClaim).join("\n"));
    if (isNothing) process.exitCode = EXIT.nothingToDo;
  });
}

/** After SIGINT or SIGTERM, it leaves no claim that nobody knows of. @throws TaskError */
async function claimUnlessInterrupted(
  calls: Calls,
  input: NextInput,
  seconds: number,
): Promise<Reply<"tasks.next">> {
  const unfinished = (): string => {
    const { session_id: session } = input;
    return `if-coordinator: interrupted; if-coordinator task list --holder ${session} shows what it holds`;
  };
  try {
    return await interruptible(async (signal) => {
      try {
        return await waitForClaims(calls, input, seconds, { signal });
      } finally {
        if (signal.aborted) await giveBack(calls, input, unfinished);
      }
    }, unfinished);
  } catch (error) {
    const signal = signalOf(error);
    // A shell ends its loop if the signal has ended the command, but not if the command ends by itself.
    if (signal !== null) process.kill(process.pid, signal);
    throw error;
  }
}

/** All requests have the same id, so that the claims of a lost answer come with the next one. */
async function waitForClaims(
  calls: Calls,
  input: NextInput,
  seconds: number,
  options: CallOptions,
): Promise<Reply<"tasks.next">> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const left = Math.max(0, (end - performance.now()) / 1_000);
    const wait_seconds = Math.min(left, LONGEST_WAIT_SECONDS);
    const reply = await nextClaims(calls, { ...input, wait_seconds }, options);
    if (reply.claims.length > 0 || left <= LONGEST_WAIT_SECONDS) return reply;
  }
}

/** The answer for which nobody waits any longer may have claims. The same request gets them again. */
async function giveBack(calls: Calls, input: NextInput, unfinished: () => string): Promise<void> {
  const options = { deadlineMs: GIVE_BACK_MS };
  const { session_id, instance } = input;
  try {
    const { claims } = await nextClaims(calls, { ...input, wait_seconds: 0 }, options);
    for (const { task, attempt } of claims) {
      const end = { status: "available" as const, cause: "interrupted", attempt, session_id };
      const body = { ...end, ...givenFields({ instance }) };
      await calls.call("tasks.release", task.task_id, () => body, options).catch(unlessOver);
    }
  } catch {
    printError(unfinished(), "error");
  }
}

/** The worker may have noticed that nobody got its answer, and have given the task back itself. */
function unlessOver(error: unknown): void {
  if (!hasCode(error, "not_holder", "lease_lost")) throw error;
}
