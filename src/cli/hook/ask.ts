/**
 * Asks about the claims of an agent: its MCP server first, which is connected, and the coordinator itself only if
 * the server does not answer. docs/decisions/0052 says why.
 */
import type { Believed } from "../mcp/claims-file.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { askServer } from "./ask-server.ts";
import type { CheckedClaim, Question } from "./questions.ts";

/** A client waits for its hook, and gives it up after some seconds. */
const LONGEST_MS = 2_500;

/** @returns the claims about which somebody knows; null if nobody answers */
export async function ask(
  kind: Question["kind"],
  believed: readonly Believed[],
  connection: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const asked = believed.map((one) => askAbout(one, kind, connection));
  const answers = (await Promise.all(asked)).filter((answer) => answer !== null);
  return answers.length === 0 ? null : answers.flat();
}

/** Where the agent has its claims from, unless the hook is told something else. */
export function flagsFor(servers: string, connection: ConnectionOptions): ConnectionOptions {
  const isKnown = servers !== "" && connection.context === undefined;
  return isKnown ? { nats: servers, ...connection } : connection;
}

async function askAbout(
  believed: Believed,
  kind: Question["kind"],
  connection: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const began = performance.now();
  const left = (): number => Math.max(1, LONGEST_MS - (performance.now() - began));
  const { claims, socket, servers } = believed;
  const question = { kind, claims };
  // The server may be connected to another coordinator than the options name, or in another way.
  const hasOptions = Object.keys(connection).length > 0;
  const answer = socket === undefined || hasOptions ? null : await askServer(socket, question);
  if (answer !== null) return answer;
  const flags = flagsFor(servers, connection);
  const { natsAnswers } = await import("./nats-answers.ts");
  if (!(await natsAnswers(flags, left()))) return null;
  // Only now, because this loads a NATS client.
  const { askCoordinator } = await import("./ask-coordinator.ts");
  return await askCoordinator(question, flags, left());
}
