/** Sessions in words for people. */
import type { Reply } from "../../protocol/operations.ts";
import type { SessionRecord } from "../../protocol/replies.ts";
import { formatTable } from "../shared/table.ts";
import { printable, shortened } from "../shared/terminal-text.ts";
import { formatAge, formatDuration } from "../shared/time.ts";

const COLUMNS = ["SESSION", "CAPABILITIES", "CLAIMS", "REGISTERED", "EXPIRES", "METADATA"];
const LONGEST_LIST = 40;
const LONGEST_METADATA = 50;

type ListedSession = Reply<"sessions.list">["sessions"][number];

export function formatSessions(sessions: readonly ListedSession[], now: number): string {
  const rows = sessions.map((session) => [
    session.session_id,
    listOf(session.capabilities),
    String(session.claims),
    `${formatAge(session.registered_at, now)} ago`,
    expiryOf(session, now),
    metadataOf(session),
  ]);
  return formatTable(COLUMNS, rows);
}

export function formatRegistration({
  session_id,
  capabilities,
  ttl_seconds,
}: SessionRecord): string {
  const able = capabilities.length === 0 ? "" : ` with ${capabilities.join(", ")}`;
  const ttl = formatDuration(ttl_seconds * 1_000);
  return printable(`${session_id} is registered${able}, for ${ttl} without a heartbeat`);
}

export function formatHeartbeat({
  session,
  claims,
  unnamed,
  cancelled,
}: Reply<"sessions.heartbeat">): string {
  const ttl = formatDuration(session.ttl_seconds * 1_000);
  const renewed = claims.map(({ task_id: id }) => id);
  return [
    `${session.session_id} is registered for another ${ttl}`,
    `renewed: ${renewed.length === 0 ? "no claim" : renewed.join(", ")}`,
    ...(unnamed.length === 0
      ? []
      : [
          `not renewed, because they are not named: ${unnamed.map(({ task_id: id }) => id).join(", ")}`,
        ]),
    ...(cancelled.length === 0 ? [] : [`cancelled, stop working on them: ${cancelled.join(", ")}`]),
  ]
    .map(printable)
    .join("\n");
}

/** A worker of an earlier version does not tell when the session expires. */
function expiryOf({ expires_at }: Partial<ListedSession>, now: number): string {
  return expires_at === undefined ? "-" : `in ${formatDuration(Date.parse(expires_at) - now)}`;
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? "-" : shortened(names.join(","), LONGEST_LIST);
}

function metadataOf({ metadata }: ListedSession): string {
  const text = JSON.stringify(metadata);
  return text === "{}" ? "-" : shortened(text, LONGEST_METADATA);
}
