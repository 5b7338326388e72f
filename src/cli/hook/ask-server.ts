/** Asks the MCP server of the agent, which has a connection to the coordinator. A hook without one is faster. */
import { connect, type Socket } from "node:net";
import type { CheckedClaim, Question } from "./questions.ts";

/** A server that is stopped accepts the connection all the same. */
const PATIENCE_MS = 500;

/** @returns null if the server is gone, or cannot ask the coordinator */
export async function askServer(
  socket: string,
  question: Question,
): Promise<readonly CheckedClaim[] | null> {
  const connection = connect(socket);
  connection.end(JSON.stringify(question));
  const reply = await textFrom(connection, PATIENCE_MS);
  try {
    return JSON.parse(reply) as readonly CheckedClaim[] | null;
  } catch {
    return null;
  }
}

/**
 * What comes over the connection until it closes. Never rejects.
 *
 * @param ms after this time, the connection is closed
 * @param most the connection is also closed when it has sent so many characters
 */
export function textFrom(connection: Socket, ms: number, most = Infinity): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const timer = setTimeout(() => connection.destroy(), ms);
    connection.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      if (text.length >= most) connection.destroy();
    });
    // A connection that fails closes, too.
    connection.on("error", () => undefined);
    connection.on("close", () => {
      clearTimeout(timer);
      resolve(text);
    });
  });
}
