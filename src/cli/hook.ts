/** `if-coordinator hook`: what a client or git runs at an event. It never blocks without a coordinator. */
import { Argument, type Command } from "commander";
import type { CheckedClaim } from "./hook/ask-coordinator.ts";
import { believedBy, sessionsOf } from "./hook/believed-claims.ts";
import { type EventName, EVENTS, inputOf } from "./hook/events.ts";
import { type HookInput, publishes } from "./hook/hook-input.ts";
import { DEFAULT_CLIENT } from "./hook/quick-answer.ts";
import { forgetClaims } from "./mcp/claims-file.ts";
import { primeToolsText } from "./prime/prime-text.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { ExitError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { print } from "./shared/output.ts";
import { parseText } from "./shared/parse-values.ts";

interface HookOptions extends ConnectionOptions {
  readonly client: string;
}

export function define(command: Command): void {
  command
    .addArgument(new Argument("<event>", "what happens").choices(EVENTS))
    .option("--client <name>", "the client that runs the hook", parseText, DEFAULT_CLIENT);
  addConnectionOptions(command).action(hook);
  addExamples(command, [
    "hook pre-push  # in .git/hooks/pre-push",
    "hook pre-tool-use --client codex < event.json",
  ]);
}

async function hook(event: EventName, options: HookOptions): Promise<void> {
  const { client, ...connection } = options;
  const input = inputOf(event);
  if (event === "pre-tool-use" && !publishes(input.command)) return;
  const believed = believedBy(client, input.sessionId, connection);
  if (event !== "session-start" && believed.claims.length === 0) return;
  // Most hooks end before, without a NATS client.
  const { askSituation, checkClaims, giveBack } = await import("./hook/ask-coordinator.ts");
  switch (event) {
    case "session-start": {
      const situation = await askSituation(believed, connection);
      // In a project without a coordinator, the agent need not know of it.
      if (situation !== null) welcome(situation);
      return;
    }
    case "session-end":
      await giveBack(believed, connection);
      for (const session of sessionsOf(client, input.sessionId, connection)) forgetClaims(session);
      return;
    case "stop":
      remind((await checkClaims(believed, connection)) ?? [], input);
      return;
    case "pre-tool-use":
    case "pre-push":
      refuseStale((await checkClaims(believed, connection)) ?? []);
  }
}

function welcome({ claims, ready }: { claims: readonly CheckedClaim[]; ready: number }): void {
  const held = claims
    .filter(({ holds }) => holds)
    .map((claim) => ({ task_id: handleOf(claim), cancel_requested: false }));
  print(primeToolsText({ held, has_more: false, ready }));
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
