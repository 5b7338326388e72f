/** Remembers the attempt of each claim that a session of this process has made, so that callers need not. */

/** Far more than a process holds at a time. The oldest attempts, which are forgotten, are mostly lost. */
export const MOST_REMEMBERED = 10_000;

interface Holder {
  readonly session_id: string;
  readonly attempt?: number | undefined;
}

export class Attempts {
  readonly #attempts = new Map<string, number>();

  remember(taskId: string, sessionId: string, attempt: number): void {
    const key = keyOf(taskId, sessionId);
    // Deleted and set again, the key comes last. So the first key is the oldest.
    this.#attempts.delete(key);
    this.#attempts.set(key, attempt);
    if (this.#attempts.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#attempts.keys();
    if (oldest !== undefined) this.#attempts.delete(oldest);
  }

  /**
   * The request with the remembered attempt, unless it names one. An attempt whose lease was lost stays
   * remembered: the coordinator must refuse it, even if the session has claimed the task again elsewhere.
   */
  addTo<T extends Holder>(taskId: string, request: T): T {
    if (request.attempt !== undefined) return request;
    const attempt = this.#attempts.get(keyOf(taskId, request.session_id));
    return attempt === undefined ? request : { ...request, attempt };
  }

  /** Only if this attempt is still the remembered one: the session may have claimed the task again. */
  forget(taskId: string, sessionId: string, attempt: number | undefined): void {
    const key = keyOf(taskId, sessionId);
    if (this.#attempts.get(key) === attempt) this.#attempts.delete(key);
  }
}

/** No id has a space. */
function keyOf(taskId: string, sessionId: string): string {
  return `${sessionId} ${taskId}`;
}
