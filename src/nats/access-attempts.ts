/**
 * What a client can reach with raw messages. `auth check` tries what must be refused: it needs answers that the
 * library would not pass on, and headers that it never sends.
 */
import { headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { createRequester, RequestFailedError } from "./request.ts";
import {
  type Connection,
  connectNats,
  ConnectionError,
  type ConnectOptions,
} from "./connection.ts";
import type { LoginNames } from "./login.ts";

/** What came back. */
export type Outcome =
  | { readonly kind: "answered"; readonly text: string }
  /** Nobody listens, or the server does not permit it. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Neither an answer nor a reason. */
  | { readonly kind: "silent" };

const TIMEOUT_MS = 3_000;

/** Sends one request. */
export async function attemptRequest(
  connection: Connection,
  subject: string,
  body: object,
): Promise<Outcome> {
  try {
    const requester = createRequester(connection);
    const text = await requester.request(subject, JSON.stringify(body), TIMEOUT_MS);
    return { kind: "answered", text };
  } catch (error) {
    if (!(error instanceof RequestFailedError)) throw error;
    if (error.problem === "no_responders") return { kind: "unreachable", reason: "nobody listens" };
    if (error.problem === "not_permitted") return { kind: "unreachable", reason: "not permitted" };
    if (error.problem === "timeout") return { kind: "silent" };
    throw error;
  }
}

/** Offers a message to the stream of a bucket in such a way that the stream refuses it, but answers. */
export async function attemptWrite(connection: NatsConnection, subject: string): Promise<Outcome> {
  const header = headers();
  header.set("Nats-Expected-Stream", "none");
  try {
    const options = { headers: header, timeout: TIMEOUT_MS };
    return { kind: "answered", text: (await connection.request(subject, "", options)).string() };
  } catch {
    return { kind: "unreachable", reason: "nobody listens" };
  }
}

/** Whether the server lets a client in. @throws ConnectionError if it cannot be reached */
export async function attemptConnection(
  options: ConnectOptions,
  names: LoginNames,
): Promise<Connection | null> {
  try {
    return await connectNats({ ...options, maxReconnectAttempts: 0 }, names);
  } catch (error) {
    const isRefused = error instanceof ConnectionError && isRefusal(error.cause);
    if (isRefused) return null;
    throw error;
  }
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "AuthorizationError";
}

export interface Listener {
  /** Whether a message has come whose subject or text contains this. */
  hasHeard(token: string): Promise<boolean>;
}

/**
 * Listens on a subject. It hears what the server has processed before `hasHeard` is called.
 *
 * @param isWanted which messages count
 */
export async function listen(
  connection: NatsConnection,
  subject: string,
  isWanted: (message: Msg) => boolean = () => true,
): Promise<Listener> {
  const heard: string[] = [];
  connection.subscribe(subject, {
    callback: (error, message) => {
      if (error === null && isWanted(message)) heard.push(`${message.subject} ${message.string()}`);
    },
  });
  await connection.flush();
  return {
    async hasHeard(token) {
      await connection.flush();
      return heard.some((text) => text.includes(token));
    },
  };
}

/** Whether NATS has republished a message of a stream. Workers send an agent only what it may see. */
export function isRepublished(message: Msg): boolean {
  return message.headers?.has("Nats-Stream") === true;
}

/** Resolves when the server has the message. */
export async function publishTo(connection: NatsConnection, subject: string): Promise<void> {
  connection.publish(subject, "{}");
  await connection.flush();
}
