/** Whether a NATS server runs. It introduces itself to each connection, so this needs no NATS client. */
import { connect } from "node:net";
import { clientSettings, type ConnectionFlags } from "../../config/client-settings.ts";
import { hostAndPortOf, parseServers } from "../../nats/connection-values.ts";
import { textFrom } from "./ask-server.ts";

const PATIENCE_MS = 1_000;
const INTRODUCTION = "INFO ";

/**
 * Whether one of the servers answers that a command would connect to.
 *
 * @throws ConnectionValueError, ContextError
 */
export async function natsAnswers(flags: ConnectionFlags): Promise<boolean> {
  const { servers = "" } = clientSettings(flags);
  const found = new AbortController();
  await Promise.all(
    parseServers(servers).urls.map(async (url) => {
      // Nobody has to wait for the others then.
      if (await introducesItself(url, found.signal)) found.abort();
    }),
  );
  return found.signal.aborted;
}

/** @param signal closes the connection */
async function introducesItself(url: string, signal: AbortSignal): Promise<boolean> {
  const connection = connect({ ...hostAndPortOf(url), signal });
  const text = await textFrom(connection, PATIENCE_MS, INTRODUCTION.length);
  return text.startsWith(INTRODUCTION);
}
