/** The name of the request for the next tasks that belongs to a release. */

/**
 * A release needs no `request_id`: it happens once, so the claim that it ends is a name for what follows.
 * The claims that follow have this name as their `claim_request`, by which any worker finds them when the
 * release is repeated. It is in stored records and must not change.
 */
export function requestAfter(taskId: string, attempt: number): string {
  return `after:${attempt}:${taskId}`;
}
