/** What a hook finds out for the agent. It loads no command line, because a client waits for its hook. */
import { type Believed, forgetClaims } from "../mcp/claims-file.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { askServer } from "./ask-server.ts";
import { believedBy, sessionsOf } from "./believed-claims.ts";
import { type EventName, inputOf } from "./events.ts";
import { type HookInput, publishes } from "./hook-input.ts";
import type { CheckedClaim, Question } from "./questions.ts";

export interface Finding {
  readonly text: string;
  /** Whether the client must not go on. */
  readonly isRefusal: boolean;
}

/** @returns null if there is nothing to say */
export async function runHook(
  event: EventName,
  client: string,
  connection: ConnectionOptions,
): Promise<Finding | null> {
  const input = inputOf(event);
  if (event === "pre-tool-use" && !publishes(input.command)) return null;
  const believed = believedBy(client, input.sessionId, connection);
  if (event === "session-start") return await welcome(believed, connection);
  if (believed.claims.length === 0) return null;
  switch (event) {
    case "session-end":
      await ask("giveBack", believed, connection);
      for (const session of sessionsOf(client, input.sessionId, connection)) forgetClaims(session);
      return null;
    case "stop":
      return remind((await ask("verify", believed, connection)) ?? [], input);
    case "pre-tool-use":
    case "pre-push":
      return refuseStale((await ask("verify", believed, connection)) ?? []);
  }
}

/** @returns null if nobody answers: then nobody knows */
async function ask(
  kind: Question["kind"],
  believed: Believed,
  connection: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const { claims, socket } = believed;
  const answer = socket === undefined ? null : await askServer(socket, { kind, claims });
  if (answer !== null) return answer;
  const flags = flagsFor(believed, connection);
  const { natsAnswers } = await import("./nats-answers.ts");
  if (!(await natsAnswers(flags))) return null;
  // Only now, because this loads a NATS client.
  const { askCoordinator } = await import("./ask-coordinator.ts");
  return await askCoordinator({ kind, claims }, flags);
}

/** Where the agent has its claims from, unless the hook is told something else. */
function flagsFor({ servers }: Believed, connection: ConnectionOptions): ConnectionOptions {
  return servers === "" ? connection : { nats: servers, ...connection };
}

/** In a project without a coordinator, the agent need not know of it. */
async function welcome(believed: Believed, connection: ConnectionOptions): Promise<Finding | null> {
  const held = await heldOf(believed, connection);
  if (held === null) return null;
  const { primeToolsText } = await import("../prime/prime-text.ts");
  return { text: primeToolsText(held.map(handleOf)), isRefusal: false };
}

/** `null`: no coordinator runs. */
async function heldOf(
  believed: Believed,
  connection: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  if (believed.claims.length > 0) {
    const claims = await ask("verify", believed, connection);
    return claims?.filter(({ holds }) => holds) ?? null;
  }
  const { natsAnswers } = await import("./nats-answers.ts");
  return (await natsAnswers(flagsFor(believed, connection))) ? [] : null;
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

function handleOf({ task_id: id, attempt }: CheckedClaim): string {
  return `${id}#${attempt}`;
}
