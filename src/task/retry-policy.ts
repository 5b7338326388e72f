/** When a task may be claimed again after a failed attempt. */

export interface RetryPolicy {
  /** Delay after the first failure, in milliseconds. */
  readonly baseMs: number;
  /** No delay is longer than this, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Exponential back-off with jitter: `base * 2^(failures - 1)`, at most `maxMs`, of which a share
 * between half and all is used.
 *
 * The share is derived from the task and its attempt instead of a random number: tasks that failed
 * together spread out, and every worker that computes the delay of one failure gets the same one.
 */
export function retryDelayMs(
  policy: RetryPolicy,
  failures: number,
  taskId: string,
  attempt: number,
): number {
  const full = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (0.5 + 0.5 * unitHash(`${taskId}#${attempt}`)));
}

/** FNV-1a, then a final mix so that ids which differ in their last character only spread as well. */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
