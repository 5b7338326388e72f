/** `if-coordinator hook`: what a client or git runs at an event. It never blocks without a coordinator. */
import { Argument, type Command } from "commander";
import { believedBy } from "./hook/believed-claims.ts";
import type { CheckedClaim } from "./hook/check-claims.ts";
import { type HookInput, publishes, readHookInput } from "./hook/hook-input.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { ExitError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { print } from "./shared/output.ts";
import { parseText } from "./shared/parse-values.ts";

const EVENTS = ["session-start", "pre-tool-use", "stop", "pre-push"] as const;
type EventName = (typeof EVENTS)[number];

interface HookOptions extends ConnectionOptions {
  readonly client: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<event>", "what happens").choices(EVENTS))
    .option("--client <name>", "the client that runs the hook", parseText, "claude");
  addConnectionOptions(command).action(hook);
  addExamples(command, [
    "hook pre-push  # in .git/hooks/pre-push",
    "hook pre-tool-use --client codex < event.json",
  ]);
}

async function hook(event: EventName, options: HookOptions): Promise<void> {
  const { client, ...connection } = options;
  // git gives a pre-push hook other lines.
  const input = event === "pre-push" ? NOTHING : readHookInput();
  // Most commands concern nobody. The answer must not cost them a connection.
  if (event === "pre-tool-use" && !publishes(input.command)) return;
  const believed = believedBy(client, input.sessionId, connection);
  // Without a claim, there is nothing to ask, and no NATS client to load.
  const claims =
    believed.claims.length === 0
      ? []
      : await (await import("./hook/check-claims.ts")).checkClaims(believed, connection);
  if (claims === null) return;
  switch (event) {
    case "session-start":
      print(welcome(claims));
      return;
    case "stop":
      remind(claims, input);
      return;
    case "pre-tool-use":
    case "pre-push":
      refuseStale(claims);
  }
}

const NOTHING: HookInput = { sessionId: undefined, command: "", isSecondStop: false };

function welcome(claims: readonly CheckedClaim[]): string {
  const held = claims.filter(({ holds }) => holds).map(handleOf);
  const now = held.length === 0 ? "You hold no task." : `You hold ${held.join(", ")}.`;
  return (
    `You share the tasks of this project with other agents, by the tools of if-coordinator. ${now} ` +
    "Work only on a task that you hold: next_task, do the work, finish_task."
  );
}

/** Clients show the model what is on standard error, if the exit code is 2. */
function refuseStale(claims: readonly CheckedClaim[]): void {
  const stale = claims.filter(({ holds }) => !holds);
  if (stale.length === 0) return;
  const reasons = stale.map(
    (claim) => `${handleOf(claim)} is no longer yours: ${claim.holder ?? "nobody"} holds the task`,
  );
  throw new ExitError(
    EXIT.usage,
    `${reasons.join("; ")}. Publish nothing of it. Call next_task to take another task.`,
  );
}

function remind(claims: readonly CheckedClaim[], { isSecondStop }: HookInput): void {
  const held = claims.filter(({ holds }) => holds).map(handleOf);
  if (held.length === 0 || isSecondStop) return;
  throw new ExitError(
    EXIT.usage,
    `you still hold ${held.join(", ")}: finish the work, or call finish_task with give_back.`,
  );
}

function handleOf({ task_id: id, attempt }: CheckedClaim): string {
  return `${id}#${attempt}`;
}
