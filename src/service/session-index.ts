/** The sessions as this worker knows them, and the claims that they have lost. */
import { TakenClaims, type Taking } from "./taken-claims.ts";
import { endOfClaim } from "../task/holder.ts";
import type { Task } from "../task/task.ts";
import { SortedList } from "../task/sorted-list.ts";
import { WatchedMap } from "../watched/watched-map.ts";
import type { Session, SessionEntry, Watch } from "./ports.ts";
import type { TaskChange, TaskIndex } from "./task-index.ts";

/** `before` is `null` for a new session, `after` for one that is gone. */
export interface SessionChange {
  readonly sessionId: string;
  readonly before: Session | null;
  readonly after: Session | null;
  /** `true`: the session unregistered. `false` for a session that is gone: its heartbeats stopped. */
  readonly isUnregistered: boolean;
}

export interface KnownSession {
  readonly session: Session;
  readonly revision: number;
  /** When it was registered or last renewed, epoch milliseconds. */
  readonly writtenAt: number;
}

/** The part of a session that determines its place. */
interface SessionKey {
  readonly session: Pick<Session, "sessionId">;
}

export class SessionIndex implements Watch<SessionEntry> {
  readonly #sessions = new WatchedMap<KnownSession, never, SessionEntry>({});
  readonly position = this.#sessions.position;
  /** All sessions in the order of their ids. */
  readonly #byId = new SortedList<KnownSession, SessionKey>(
    ({ session: { sessionId: a } }, { session: { sessionId: b } }) => (a < b ? -1 : a > b ? 1 : 0),
  );
  /** For each session, the claims that it lost and has not been told about. */
  readonly #taken = new TakenClaims();

  constructor(tasks: TaskIndex) {
    this.#sessions.onChange((sessionId, before, after) => {
      if (after !== null) this.#byId.set(after);
      else if (before !== null) this.#byId.delete(before);
      // A new process of the session does not need to know what an earlier one lost.
      if (before?.session.instance !== after?.session.instance) this.#taken.take(sessionId);
    });
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

  /** The sessions in the order of their ids, from this id on. The index must not change meanwhile. */
  from(sessionId: string): Iterable<KnownSession> {
    return this.#byId.from({ session: { sessionId } });
  }

  /** Calls the listener after each change, renewals included, in order. It must not throw. */
  onChange(listener: (change: SessionChange) => void): void {
    this.#sessions.onChange((sessionId, before, after, entry) => {
      listener({
        sessionId,
        before: before?.session ?? null,
        after: after?.session ?? null,
        isUnregistered: entry?.kind === "gone" && entry.isUnregistered === true,
      });
    });
  }

  /** The claims that the session has lost since the last call. */
  takenFrom(sessionId: string): ReadonlyMap<string, Taking> {
    return this.#taken.take(sessionId);
  }

  /** Takes in a session that this worker has just written, or read from the leader. */
  apply(session: Session, revision: number, writtenAt: number): void {
    this.#sessions.apply(session.sessionId, { session, revision, writtenAt });
  }

  restarted(): void {
    this.#sessions.restarted();
  }

  entry(entry: SessionEntry): void {
    const { revision } = entry;
    if (entry.kind === "gone") this.#sessions.deliver(entry.sessionId, revision, null, entry);
    else {
      const { session, writtenAt } = entry;
      const known = { session, revision, writtenAt };
      this.#sessions.deliver(session.sessionId, revision, known, entry);
    }
  }

  current(): void {
    this.#sessions.current();
  }

  #noteTaken({ taskId, before, after }: TaskChange): void {
    const holder = before?.claimedBy ?? null;
    if (after?.claimedBy !== null && after?.claimedBy !== undefined) {
      this.#taken.delete(after.claimedBy, taskId);
    }
    if (holder === null || after?.claimedBy === holder || this.#sessions.get(holder) === undefined)
      return;
    const how = howItEnded(after?.task ?? null);
    if (how !== null) this.#taken.note(holder, taskId, how);
  }
}

/** How the claim was taken from its holder; `null` if the holder ended it. */
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
