/** When a task can be claimed again after a failed attempt. */

export interface RetryPolicy {
  /** Delay after the first failure, in milliseconds. */
  readonly baseMs: number;
  /** No delay is longer than this, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Exponential back-off with jitter: a share of `base * 2^(failures - 1)`, at most `maxMs`. The share is
 * between one half and one.
 *
 * It follows from the task and its attempt instead of a random number. So tasks that failed together
 * spread out, and every worker computes the same delay for one failure.
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

/** FNV-1a, then a final mix, so that ids that differ only in their last character spread too. */
function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
