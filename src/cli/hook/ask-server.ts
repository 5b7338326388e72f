/** Asks the MCP server of the agent, which has a connection to the coordinator. A hook without one is faster. */
import { connect } from "node:net";
import type { CheckedClaim, Question } from "./questions.ts";
import { receivedText } from "./received-text.ts";

/** A server that is stopped accepts the connection all the same. */
const PATIENCE_MS = 1_000;

/** @returns null if the server is gone, has other claims, or cannot ask the coordinator */
export async function askServer(
  socket: string,
  question: Question,
): Promise<readonly CheckedClaim[] | null> {
  const connection = connect(socket);
  connection.end(JSON.stringify(question));
  const reply = await receivedText(connection, PATIENCE_MS);
  try {
    const checked: unknown = JSON.parse(reply);
    const isAnswer = Array.isArray(checked) && checked.length === question.claims.length;
    return isAnswer ? (checked as readonly CheckedClaim[]) : null;
  } catch {
    return null;
  }
}
