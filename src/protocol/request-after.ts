/** The name of the request for the next tasks that belongs to a release. */
import { createHash } from "node:crypto";
import type { ReleaseOutcome } from "../task/commands.ts";
import { MAX_REQUEST_ID_LENGTH } from "./fields.ts";

/**
 * A release needs no `request_id`: a claim ends once, so the claim and its outcome are a name for what follows.
 * The claims that follow have this name as their `claim_request`, by which any worker finds them when the
 * release is repeated. A release of the same claim with another outcome has another name, so it finds nothing.
 *
 * A name that would be too long for a `request_id` has the hash of the task's id instead of the id. No id
 * contains a colon, so the two kinds of names differ.
 *
 * It is in stored records and must not change.
 */
export function requestAfter(
  taskId: string,
  { attempt, status }: { readonly attempt: number; readonly status: ReleaseOutcome },
): string {
  const release = `after:${attempt}:${status}`;
  const name = `${release}:${taskId}`;
  if (name.length <= MAX_REQUEST_ID_LENGTH) return name;
  return `${release}:sha256:${createHash("sha256").update(taskId).digest("hex")}`;
}
