/** The attempts under which the sessions of this process hold their tasks, so that callers need not. */

/** Far more than a process holds at a time; what is forgotten was mostly lost long ago. */
export const MOST_REMEMBERED = 10_000;

interface Holder {
  readonly session_id: string;
  readonly attempt?: number | undefined;
}

export class Attempts {
  readonly #attempts = new Map<string, number>();

  remember(taskId: string, sessionId: string, attempt: number): void {
    const key = keyOf(taskId, sessionId);
    // Set anew it comes last: the first one is the oldest.
    this.#attempts.delete(key);
    this.#attempts.set(key, attempt);
    if (this.#attempts.size <= MOST_REMEMBERED) return;
    const [oldest] = this.#attempts.keys();
    if (oldest !== undefined) this.#attempts.delete(oldest);
  }

  /**
   * The request with the attempt that is remembered, unless it names one. One whose lease was lost stays
   * remembered: it has to be refused, whatever the session holds by then.
   */
  addTo<T extends Holder>(taskId: string, request: T): T {
    if (request.attempt !== undefined) return request;
    const attempt = this.#attempts.get(keyOf(taskId, request.session_id));
    return attempt === undefined ? request : { ...request, attempt };
  }

  /** Only if it is still this one: the session may have claimed the task again. */
  forget(taskId: string, sessionId: string, attempt: number | undefined): void {
    const key = keyOf(taskId, sessionId);
    if (this.#attempts.get(key) === attempt) this.#attempts.delete(key);
  }
}

/** No id has a space. */
function keyOf(taskId: string, sessionId: string): string {
  return `${sessionId} ${taskId}`;
}
