/** Reads what comes over a connection that sends little, for hooks, which load no NATS client for it. */
import type { Socket } from "node:net";

/**
 * What comes until the connection closes. Never rejects.
 *
 * @param ms after this time, the connection is closed
 * @param most the connection is also closed when it has sent so many characters
 */
export function receivedText(connection: Socket, ms: number, most = Infinity): Promise<string> {
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
