/** Checks that a NATS server is suitable: its version, and JetStream for this account. */
import { jetstreamManager } from "@nats-io/jetstream";
import { type NatsConnection, TimeoutError } from "@nats-io/nats-core";
import { ConnectionError } from "./connection.ts";
import { inDomain } from "./js-domain.ts";
import { judgeServerVersion } from "./server-versions.ts";

/** For the reply to one JetStream request. */
const API_TIMEOUT_MS = 2_500;

/**
 * @param domain the JetStream domain, if it is not the server's own
 * @throws ConnectionError if the server is too old, or has no JetStream for this account
 */
export async function requireJetStream(connection: NatsConnection, domain?: string): Promise<void> {
  const version = connection.info?.version ?? "0.0.0";
  const verdict = judgeServerVersion(version);
  if (verdict.kind === "too_old") {
    const { problem, cure } = verdict;
    throw new ConnectionError(
      `the NATS server at ${connection.getServer()} is version ${version}, ${problem}: ${cure}`,
    );
  }
  try {
    // The server may have JetStream while this account has none: `checkAPI` asks for the account.
    await jetstreamManager(connection, {
      checkAPI: true,
      timeout: API_TIMEOUT_MS,
      ...inDomain(domain),
    });
  } catch (error) {
    const problem =
      error instanceof TimeoutError
        ? "does not answer for JetStream: a cluster needs most of its servers, and a moment to elect a leader"
        : domain === undefined
          ? "has no JetStream for this account: start it with --jetstream, or enable JetStream in " +
            "the account"
          : `cannot reach a JetStream domain ${domain}: correct nats.js_domain, which a program ` +
            "gives as config.jsDomain";
    throw new ConnectionError(`the NATS server at ${connection.getServer()} ${problem}`, {
      cause: error,
    });
  }
}
