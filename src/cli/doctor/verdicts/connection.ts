/** Verdicts on the connection: the round trip, TLS, the user, and the sizes of messages. */
import type { ConnectionFacts, UserFacts } from "../../../nats/inspection/connection-facts.ts";
import { isLoopback } from "../../../nats/loopback.ts";
import { duration, type Finding, found, ok } from "../finding.ts";

const SLOW_ROUND_TRIP_MS = 100;
const DAY_MS = 86_400_000;
const CERTIFICATE_DAYS = 14;
const CREDENTIALS_DAYS = 7;
/** How much larger than its record a reply can be. */
const REPLY_EXTRA_BYTES = 4_096;

/** @param maxRecordBytes the setting of the workers; `null` if they do not announce it */
export function judgeConnection(
  { serverName, address, cluster, roundTripMs, maxPayload }: ConnectionFacts,
  maxRecordBytes: number | null,
): Finding[] {
  const inCluster = cluster === null ? "" : ` of cluster ${cluster}`;
  const trip = `round trip ${duration(roundTripMs)}`;
  const server = `server ${serverName} at ${address}${inCluster}, ${trip}`;
  const findings = [
    roundTripMs > SLOW_ROUND_TRIP_MS ? found("slow_round_trip", server) : ok(server),
  ];
  if (maxRecordBytes !== null && maxRecordBytes + REPLY_EXTRA_BYTES > maxPayload) {
    findings.push(
      found(
        "small_messages",
        `max_record_bytes is ${maxRecordBytes}, but the server carries messages of at most ${maxPayload} bytes`,
      ),
    );
  }
  return findings;
}

export function judgeEncryption(
  { isEncrypted, certificateEndsAt, address }: ConnectionFacts,
  now: number,
): Finding[] {
  if (!isEncrypted) {
    return isLoopback(address)
      ? [ok("not used; the connection does not leave this machine")]
      : [found("not_encrypted", `everything is sent to ${address} in clear, also passwords`)];
  }
  if (certificateEndsAt === null) return [ok("the connection is encrypted")];
  const ends = `the server's certificate ends on ${dateOf(certificateEndsAt)}`;
  return certificateEndsAt - now < CERTIFICATE_DAYS * DAY_MS
    ? [found("certificate_ends", ends)]
    : [ok(`the connection is encrypted; ${ends}`)];
}

export function judgeUser({ user, account, expiresInMs }: UserFacts): Finding[] {
  const who = `${user === "" ? "no user name" : `user ${user}`}, account ${account}`;
  if (expiresInMs === null) return [ok(who)];
  const ends = `the credentials end in ${duration(expiresInMs)}`;
  return expiresInMs < CREDENTIALS_DAYS * DAY_MS
    ? [found("credentials_end", `${who}: ${ends}`)]
    : [ok(`${who}; ${ends}`)];
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
