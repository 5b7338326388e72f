/** Access to the buckets of a coordinator for a client that only reads. It says why it cannot read them. */
import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  type JetStreamManager,
} from "@nats-io/jetstream";
import { errors, type NatsConnection } from "@nats-io/nats-core";
import { ConnectionError } from "./connection.ts";
import { isStreamMissing } from "./find-stream.ts";
import { inboxRefusal, isInboxRefusal } from "./inbox.ts";
import { apiPrefixOf, inDomain } from "./js-domain.ts";
import { TASKS_BUCKET } from "./kv-buckets.ts";

/** A connection, and how it reaches the buckets. */
export interface HistoryAccess {
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
}

const STREAM = `KV_${TASKS_BUCKET}`;

/**
 * Opens the buckets for `work`.
 *
 * @param domain the JetStream domain, if it is not the server's own
 * @throws ConnectionError if there is no bucket `tasks`, or if the user may not read it
 */
export async function withHistory<T>(
  connection: NatsConnection,
  domain: string | undefined,
  work: (access: HistoryAccess) => Promise<T>,
): Promise<T> {
  const jsm = await jetstreamManager(connection, { checkAPI: false, ...inDomain(domain) });
  try {
    // A batch is no request of the library: it only gets no answer if the server does not permit it.
    return await Promise.race([work({ connection, jsm }), refusalOf(connection)]);
  } catch (error) {
    throw explained(error, connection, jsm);
  }
}

/** Rejects when the server does not permit what reading the tasks needs. */
async function refusalOf(connection: NatsConnection): Promise<never> {
  for await (const status of connection.status()) {
    if (status.type !== "error") continue;
    const { error } = status;
    if (isInboxRefusal(connection, error) || isRefusal(error)) throw error;
  }
  // The connection is closed, and the work fails with the reason.
  return new Promise(() => undefined);
}

/** Not permitted to read the leases is no reason to end: only one rule needs them. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof errors.PermissionViolationError &&
    error.operation === "publish" &&
    error.subject.endsWith(STREAM)
  );
}

function explained(error: unknown, connection: NatsConnection, jsm: JetStreamManager): unknown {
  const server = connection.getServer();
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const because = (problem: string): ConnectionError => new ConnectionError(problem, { cause });
  if (isInboxRefusal(connection, cause)) return because(inboxRefusal(connection));
  if (isRefusal(cause)) {
    const subjects = ["STREAM.INFO", "DIRECT.GET", "STREAM.MSG.GET"].map((operation) => {
      return `${apiPrefixOf(jsm)}.${operation}.${STREAM}`;
    });
    return because(
      `the NATS user may not read the history: permit publishing to ${subjects.join(", ")}`,
    );
  }
  if (isStreamMissing(error)) {
    return because(
      `the NATS server at ${server} has no bucket "tasks" for this user: no coordinator has run there`,
    );
  }
  if (hasNoJetStream(error)) {
    return because(`the NATS server at ${server} has no JetStream for this account`);
  }
  if (error instanceof errors.TimeoutError) {
    return because(`the NATS server at ${server} does not answer for JetStream`);
  }
  return error;
}

function hasNoJetStream(error: unknown): boolean {
  if (error instanceof errors.NoRespondersError) return true;
  // The package does not export the class.
  if (error instanceof Error && error.name === "JetStreamNotEnabled") return true;
  const { JetStreamNotEnabledForAccount: code } = JetStreamApiCodes;
  return error instanceof JetStreamApiError && error.code === code;
}
