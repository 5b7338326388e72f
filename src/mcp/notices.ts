/**
 * What a session must learn although it did not ask: a lease is lost, the task is cancelled, a task that it
 * waits for is finished. A model hears nothing between its calls, so each reply carries what came meanwhile.
 */

/** Of one reply. The rest comes with the next one. */
const MAX_OF_REPLY = 3;
/** For a session that no longer calls. The oldest are dropped. */
const MAX_KEPT = 50;

export class Notices {
  readonly #waiting = new Map<string, string[]>();
  readonly #listeners = new Set<(session: string) => void>();

  add(session: string, text: string): void {
    const waiting = this.#waiting.get(session) ?? [];
    waiting.push(text);
    this.#waiting.set(session, waiting.slice(-MAX_KEPT));
    for (const listener of [...this.#listeners]) listener(session);
  }

  /** Those of the session that no reply has carried yet. */
  take(session: string): string[] {
    const waiting = this.#waiting.get(session) ?? [];
    const taken = waiting.splice(0, MAX_OF_REPLY);
    if (waiting.length === 0) this.#waiting.delete(session);
    return taken;
  }

  /** Whether notices wait for a reply. */
  has(session: string): boolean {
    return this.#waiting.has(session);
  }

  /** Calls the listener once, at the next notice for the session, unless the returned function is called. */
  onNext(session: string, listener: () => void): () => void {
    const once = (of: string): void => {
      if (of !== session) return;
      stop();
      listener();
    };
    const stop = (): void => {
      this.#listeners.delete(once);
    };
    this.#listeners.add(once);
    return stop;
  }
}
