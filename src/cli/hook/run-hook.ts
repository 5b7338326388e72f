/** What a hook does that concerns an agent. It loads no command line, because a client waits for its hook. */
import { forgetClaims } from "../mcp/claims-file.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { ExitError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { print } from "../shared/output.ts";
import type { CheckedClaim, Situation } from "./ask-coordinator.ts";
import { believedBy, sessionsOf } from "./believed-claims.ts";
import { type EventName, inputOf } from "./events.ts";
import { type HookInput, publishes } from "./hook-input.ts";

/** @throws ExitError if the client has to stop */
export async function runHook(
  event: EventName,
  client: string,
  connection: ConnectionOptions,
): Promise<void> {
  const input = inputOf(event);
  if (event === "pre-tool-use" && !publishes(input.command)) return;
  const believed = believedBy(client, input.sessionId, connection);
  if (event !== "session-start" && believed.claims.length === 0) return;
  // Most hooks end before, without a NATS client.
  const { askSituation, checkClaims, giveBack } = await import("./ask-coordinator.ts");
  switch (event) {
    case "session-start": {
      const situation = await askSituation(believed, connection);
      // In a project without a coordinator, the agent need not know of it.
      if (situation !== null) await welcome(situation);
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

async function welcome({ claims, ready }: Situation): Promise<void> {
  const held = claims
    .filter(({ holds }) => holds)
    .map((claim) => ({ task_id: handleOf(claim), cancel_requested: false }));
  const { primeToolsText } = await import("../prime/prime-text.ts");
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
