/** What a hook finds out for the agent. It loads no command line, because a client waits for its hook. */
import { type BelievedClaim, forgetClaims, isSame } from "../mcp/claims-file.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { ask, flagsFor } from "./ask.ts";
import { believedBy, sessionsOf } from "./believed-claims.ts";
import { type EventName, inputOf } from "./events.ts";
import { type HookInput, publishes } from "./hook-input.ts";
import type { CheckedClaim } from "./questions.ts";

export interface Finding {
  readonly text: string;
  /** Whether the client must not go on. */
  readonly isRefusal: boolean;
}

/** Without a greeting, an agent loses nothing. */
const GREETING_MS = 1_000;

/**
 * @returns null if there is nothing to say
 * @throws Error if it cannot be found out for another reason than that nobody answers, such as a wrong setting
 */
export async function runHook(
  event: EventName,
  client: string,
  connection: ConnectionOptions,
): Promise<Finding | null> {
  const input = inputOf(event);
  if (event === "pre-tool-use" && !publishes(input.command)) return null;
  const read = () => believedBy(client, input.sessionId, connection);
  const known = read();
  const believed = known.filter(({ claims }) => claims.length > 0);
  if (believed.length === 0) {
    const flags = flagsFor(known[0]?.servers ?? "", connection);
    return event === "session-start" ? await greet(flags) : null;
  }
  if (event === "session-end") {
    const given = (await ask("giveBack", believed, connection)) ?? [];
    const sessions = sessionsOf(client, input.sessionId, connection);
    for (const session of sessions) forgetClaims(session, given);
    return null;
  }
  const checked = await ask("verify", believed, connection);
  if (checked === null) return null;
  // The agent can have ended a claim meanwhile.
  const now = read().flatMap(({ claims }) => claims);
  const claims = checked.filter((claim) => now.some((other) => isSame(claim, other)));
  switch (event) {
    case "session-start":
      return await welcome(claims.filter(({ holds }) => holds));
    case "stop":
      return remind(claims, input);
    case "pre-tool-use":
    case "pre-push":
      return refuseStale(claims);
  }
}

/** Where no NATS server runs, the agent need not know of the coordinator. */
async function greet(flags: ConnectionOptions): Promise<Finding | null> {
  const { natsAnswers } = await import("./nats-answers.ts");
  return (await natsAnswers(flags, GREETING_MS)) ? await welcome([]) : null;
}

async function welcome(held: readonly BelievedClaim[]): Promise<Finding> {
  const { primeToolsText } = await import("../prime/prime-text.ts");
  return { text: primeToolsText(held.map(handleOf)), isRefusal: false };
}

function refuseStale(claims: readonly CheckedClaim[]): Finding | null {
  const stale = claims.filter(({ holds }) => !holds);
  if (stale.length === 0) return null;
  const reasons = stale.map(
    (claim) => `${handleOf(claim)} is no longer yours: ${claim.holder ?? "nobody"} holds the task`,
  );
  const text = `${reasons.join("; ")}. Publish nothing of it. Call next_task to take another task.`;
  return { text, isRefusal: true };
}

function remind(claims: readonly CheckedClaim[], { isSecondStop }: HookInput): Finding | null {
  const held = claims.filter(({ holds }) => holds).map(handleOf);
  if (held.length === 0 || isSecondStop) return null;
  const text = `you still hold ${held.join(", ")}: finish the work, or call finish_task with give_back.`;
  return { text, isRefusal: true };
}

function handleOf({ task_id: id, attempt }: BelievedClaim): string {
  return `${id}#${attempt}`;
}
