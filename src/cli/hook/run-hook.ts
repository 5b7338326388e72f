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

/** A client waits for its hook, and gives it up after some seconds. */
const LONGEST_MS = 2_500;
/** Nothing depends on it. */
const GREETING_MS = 1_000;

/**
 * @returns null if there is nothing to say
 * @throws ContextError
 */
export async function runHook(
  event: EventName,
  client: string,
  connection: ConnectionOptions,
): Promise<Finding | null> {
  const input = inputOf(event);
  if (event === "pre-tool-use" && !publishes(input.command)) return null;
  const known = believedBy(client, input.sessionId, connection);
  const believed = known.filter(({ claims }) => claims.length > 0);
  if (believed.length === 0) {
    return event === "session-start" ? await greet(known[0], connection) : null;
  }
  switch (event) {
    case "session-start":
      return welcome(await ask("verify", believed, connection));
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
  believed: readonly Believed[],
  connection: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const asked = believed.map((one) => askAbout(one, kind, connection));
  const answers = (await Promise.all(asked)).filter((answer) => answer !== null);
  return answers.length === 0 ? null : answers.flat();
}

async function askAbout(
  believed: Believed,
  kind: Question["kind"],
  connection: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const until = performance.now() + LONGEST_MS;
  const { claims, socket } = believed;
  const question = { kind, claims };
  // The server may be connected to another coordinator than the hook is told to ask.
  const isTold = Object.keys(connection).length > 0;
  const answer = socket === undefined || isTold ? null : await askServer(socket, question);
  if (answer !== null) return answer;
  const flags = flagsFor(believed, connection);
  const { natsAnswers } = await import("./nats-answers.ts");
  if (!(await natsAnswers(flags, until - performance.now()))) return null;
  // Only now, because this loads a NATS client.
  const { askCoordinator } = await import("./ask-coordinator.ts");
  return await askCoordinator(question, flags, until - performance.now());
}

/** Where the agent has its claims from, unless the hook is told something else. */
function flagsFor(believed: Believed | undefined, connection: ConnectionOptions) {
  const { servers = "" } = believed ?? {};
  return servers === "" ? connection : { nats: servers, ...connection };
}

/** Where no NATS server runs, the agent need not know of the coordinator. */
async function greet(
  believed: Believed | undefined,
  connection: ConnectionOptions,
): Promise<Finding | null> {
  const { natsAnswers } = await import("./nats-answers.ts");
  const isThere = await natsAnswers(flagsFor(believed, connection), GREETING_MS);
  return isThere ? await welcome([]) : null;
}

async function welcome(claims: readonly CheckedClaim[] | null): Promise<Finding | null> {
  if (claims === null) return null;
  const { primeToolsText } = await import("../prime/prime-text.ts");
  const held = claims.filter(({ holds }) => holds);
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

function handleOf({ task_id: id, attempt }: CheckedClaim): string {
  return `${id}#${attempt}`;
}
