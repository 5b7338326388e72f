/** What an open connection knows about its server, and who the server thinks that the client is. */
import { setTimeout as delay } from "node:timers/promises";
import { type PeerCertificate, TLSSocket } from "node:tls";
import { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { readReply, userReply } from "../../protocol/nats-replies.ts";
import { type Connection, ConnectionError } from "../connection.ts";
import { requireInbox } from "../inbox.ts";
import { type ClockReading, readClock } from "./clock-reading.ts";

export interface ConnectionFacts {
  /** `host:port`, as the client connected to it. */
  readonly address: string;
  readonly serverName: string;
  readonly serverId: string;
  readonly version: string;
  readonly cluster: string | null;
  /** The other servers of the cluster that the server announces, as `host:port`. */
  readonly announced: readonly string[];
  /** The median of some round trips, in milliseconds. */
  readonly roundTripMs: number;
  readonly isEncrypted: boolean;
  /** When the server's certificate ends, in epoch milliseconds; `null` without TLS. */
  readonly certificateEndsAt: number | null;
  readonly maxPayload: number;
}

const ROUND_TRIPS = 5;

export async function inspectConnection(connection: Connection): Promise<ConnectionFacts> {
  const { info } = connection;
  const trips: number[] = [];
  for (let count = 0; count < ROUND_TRIPS; count++) {
    const start = performance.now();
    await connection.flush();
    trips.push(performance.now() - start);
  }
  trips.sort((a, b) => a - b);
  const socket = tlsSocketOf(connection);
  return {
    address: connection.getServer(),
    serverName: info?.server_name ?? "",
    serverId: info?.server_id ?? "",
    version: info?.version ?? "",
    cluster: info?.cluster ?? null,
    announced: info?.connect_urls ?? [],
    roundTripMs: trips[Math.floor(ROUND_TRIPS / 2)] ?? 0,
    isEncrypted: socket !== null,
    certificateEndsAt: socket === null ? null : endOf(socket.getPeerCertificate()),
    maxPayload: info?.max_payload ?? Infinity,
  };
}

/** The library does not expose its socket. */
function tlsSocketOf(connection: Connection): TLSSocket | null {
  if (!(connection instanceof NatsConnectionImpl)) return null;
  const { transport } = connection.protocol;
  if (!(transport instanceof NodeTransport)) return null;
  return transport.socket instanceof TLSSocket ? transport.socket : null;
}

function endOf({ valid_to: validTo }: Partial<PeerCertificate>): number | null {
  const time = Date.parse(validTo ?? "");
  return Number.isNaN(time) ? null : time;
}

/** Why no reply can arrive on the connection; `null` if replies can. */
export async function inboxProblem(connection: Connection): Promise<string | null> {
  try {
    // A server that does not answer now says nothing about the user. Each check notices it for itself.
    await Promise.race([requireInbox(connection), delay(USER_MS, undefined, { ref: false })]);
    return null;
  } catch (error) {
    if (error instanceof ConnectionError) return error.message;
    throw error;
  }
}

export interface Subjects {
  /** Empty: everything that is not denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface UserFacts {
  readonly user: string;
  readonly account: string;
  readonly publish: Subjects;
  readonly subscribe: Subjects;
  /** How long the credentials are still valid; `null`: forever. */
  readonly expiresInMs: number | null;
  /** The server's clock. */
  readonly clock: ClockReading;
}

const USER_SUBJECT = "$SYS.REQ.USER.INFO";
const USER_MS = 2_000;

/**
 * Every user may ask this unless his permissions say otherwise. The reply also has the permissions, so they
 * need not be tried out.
 *
 * @throws Error if the server does not answer
 */
export async function inspectUser(connection: Connection): Promise<UserFacts> {
  const sentAt = Date.now();
  const message = await connection.request(USER_SUBJECT, "", { timeout: USER_MS });
  const receivedAt = Date.now();
  const reply = readReply(userReply, message.string());
  if (reply === null) throw new Error(`the answer to ${USER_SUBJECT} cannot be read`);
  const { user, account, account_name: name, permissions, expires } = reply.data;
  return {
    user,
    account: name ?? account,
    publish: subjectsOf(permissions?.publish),
    subscribe: subjectsOf(permissions?.subscribe),
    expiresInMs: expires === undefined || expires <= 0 ? null : expires / 1e6,
    clock: readClock(reply.server.time, sentAt, receivedAt),
  };
}

function subjectsOf(
  given:
    | { readonly allow?: string[] | null | undefined; readonly deny?: string[] | null | undefined }
    | null
    | undefined,
): Subjects {
  return { allow: given?.allow ?? [], deny: given?.deny ?? [] };
}
