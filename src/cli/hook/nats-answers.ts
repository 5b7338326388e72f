/** Whether a NATS server runs. It introduces itself to each connection, so this needs no NATS client. */
import { setMaxListeners } from "node:events";
import { connect } from "node:net";
import { clientSettings, type ConnectionFlags } from "../../config/client-settings.ts";
import { ConnectionValueError, hostAndPortOf, parseServers } from "../../nats/connection-values.ts";
import { receivedText } from "./received-text.ts";

const INTRODUCTION = "INFO ";

/**
 * Whether one of the servers answers in time that a command would connect to.
 *
 * @throws ContextError
 */
export async function natsAnswers(flags: ConnectionFlags, ms: number): Promise<boolean> {
  const found = new AbortController();
  setMaxListeners(0, found.signal);
  await Promise.all(
    urlsIn(flags).map(async (url) => {
      const connection = connect({ ...hostAndPortOf(url), signal: found.signal });
      const text = await receivedText(connection, ms, INTRODUCTION.length);
      // Nobody has to wait for the others then.
      if (text.startsWith(INTRODUCTION)) found.abort();
    }),
  );
  return found.signal.aborted;
}

function urlsIn(flags: ConnectionFlags): readonly string[] {
  try {
    return parseServers(clientSettings(flags).servers ?? "").urls;
  } catch (error) {
    // Nothing runs at what is no address. Other commands say what is wrong with it.
    if (error instanceof ConnectionValueError) return [];
    throw error;
  }
}
