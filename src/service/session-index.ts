/** What this worker knows of the sessions, and which claims were taken from them. */
import { endOfClaim } from "../task/holder.ts";
import type { Task } from "../task/task.ts";

import type { Session, SessionEntry, Watch } from "./ports.ts";
import { WatchPosition } from "../watched/watch-position.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";

/** How a claim was taken from its session. `replaced`: an earlier process of the session had made it. */
type Taking = "lost" | "cancelled" | "replaced";

/** What a listener hears of: `before` is `null` for a new session, `after` for one that is gone. */
export interface SessionChange {
  readonly sessionId: string;
  readonly before: Session | null;
  readonly after: Session | null;
  /** It is gone because it was unregistered: its time has not just run out. */
  readonly isUnregistered: boolean;
}

export interface KnownSession {
  readonly session: Session;
  readonly revision: number;
}

export class SessionIndex implements Watch<SessionEntry> {
  readonly position = new WatchPosition();
  readonly #sessions = new Map<string, KnownSession>();
  /** By session, the claims that ended without its doing, until it has been told. */
  readonly #taken = new Map<string, Map<string, Taking>>();
  readonly #listeners: ((change: SessionChange) => void)[] = [];
  #resync: Set<string> | null = null;

  constructor(tasks: TaskIndex) {
    tasks.onChange((change) => {
      this.#noteTaken(change);
    });
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(sessionId: string): KnownSession | undefined {
    return this.#sessions.get(sessionId);
  }

  values(): Iterable<KnownSession> {
    return this.#sessions.values();
  }

  /** Calls the listener after each change, also a mere renewal, in order. It must not throw. */
  onChange(listener: (change: SessionChange) => void): void {
    this.#listeners.push(listener);
  }

  /** The claims that were taken from the session since it was last told. */
  takenFrom(sessionId: string): ReadonlyMap<string, Taking> {
    const taken = this.#taken.get(sessionId);
    this.#taken.delete(sessionId);
    return taken ?? new Map<string, Taking>();
  }

  /**
   * Takes in a session that this worker has just written or read from the leader.
   *
   * What the watch has already delivered is not taken again: it may be gone since.
   */
  apply(session: Session, revision: number): void {
    const { sessionId } = session;
    if (revision <= this.position.revision) return;
    if (revision <= (this.#sessions.get(sessionId)?.revision ?? 0)) return;
    this.#resync?.add(sessionId);
    this.#replace(sessionId, { session, revision });
  }

  restarted(): void {
    this.#resync = new Set();
    this.position.restarted();
  }

  entry(entry: SessionEntry): void {
    const { revision } = entry;
    const sessionId = entry.kind === "live" ? entry.session.sessionId : entry.sessionId;
    const known = this.#sessions.get(sessionId);
    // After a restart the store is right even if it is older: it may have been restored.
    const isNews = known === undefined || revision > known.revision || this.#resync !== null;
    if (entry.kind === "live") {
      this.#resync?.add(sessionId);
      if (isNews) this.#replace(sessionId, { session: entry.session, revision });
    } else if (isNews) {
      this.#replace(sessionId, null, entry.isUnregistered);
    }
    this.position.delivered(revision);
  }

  current(): void {
    const seen = this.#resync;
    this.#resync = null;
    for (const sessionId of seen === null ? [] : [...this.#sessions.keys()]) {
      if (seen?.has(sessionId) === false) this.#replace(sessionId, null);
    }
    this.position.current();
  }

  #replace(sessionId: string, known: KnownSession | null, isUnregistered = false): void {
    const before = this.#sessions.get(sessionId)?.session ?? null;
    const after = known?.session ?? null;
    if (known === null) this.#sessions.delete(sessionId);
    else this.#sessions.set(sessionId, known);
    // What was taken from one process is no news for the next one.
    if (after?.instance !== before?.instance) this.#taken.delete(sessionId);
    if (before === null && after === null) return;
    for (const listener of this.#listeners) {
      listener({ sessionId, before, after, isUnregistered });
    }
  }

  #noteTaken({ taskId, before, after }: TaskChange): void {
    const holder = before?.claimedBy ?? null;
    if (after?.claimedBy !== null && after?.claimedBy !== undefined) {
      this.#taken.get(after.claimedBy)?.delete(taskId);
    }
    if (holder === null || after?.claimedBy === holder || !this.#sessions.has(holder)) return;
    const how = howItEnded(after);
    if (how === null) return;
    const taken = this.#taken.get(holder) ?? new Map<string, Taking>();
    this.#taken.set(holder, taken.set(taskId, how));
  }
}

/** How a claim ended without its holder's doing; `null` if the holder ended it. */
function howItEnded(after: Task | null): Taking | null {
  const end = endOfClaim(after?.lastEvent ?? null);
  switch (end) {
    case "released":
    case "completed":
    case "failed":
    case "stopped":
      return null;
    case "cancelled":
    case "replaced":
      return end;
    default:
      return "lost";
  }
}
