/**
 * How large the registrations of sessions may be together: of all, and of those whose ids begin with the same
 * name, such as the sessions of an agent. Workers keep all of them in memory.
 */
import type { ServiceContext, Session } from "./ports.ts";
import { limitReached } from "./refusals.ts";
import type { SessionIndex } from "./session-index.ts";
import { nameIn } from "./session-name.ts";

/** What a registration takes next to its capabilities and its metadata. */
const BASE_BYTES = 256;

export class SessionLimits {
  readonly #settings: ServiceContext["settings"];
  readonly #bySession = new Map<string, number>();
  readonly #byName = new Map<string, number>();
  #total = 0;

  constructor(index: SessionIndex, { settings }: Pick<ServiceContext, "settings">) {
    this.#settings = settings;
    index.onChange(({ sessionId, before, after }) => {
      // A renewal mostly changes nothing here.
      if (before !== after) this.#count(sessionId, after === null ? 0 : bytesOf(after));
    });
  }

  /** @throws CoordinatorError `limit_reached` */
  requireRoom(session: Session): void {
    const { sessionId } = session;
    const { maxSessionBytes, maxSessionBytesPerPrincipal: most } = this.#settings;
    const added = bytesOf(session) - (this.#bySession.get(sessionId) ?? 0);
    if (added <= 0) return;
    const name = nameIn(sessionId);
    if ((this.#byName.get(name) ?? 0) + added > most) {
      const problem = `the registrations of ${name} are too large together: unregister some, or let them expire`;
      throw limitReached("limits.session_bytes_per_principal", most, problem);
    }
    if (this.#total + added > maxSessionBytes) {
      const problem = "all registrations are too large together: wait until some expire";
      throw limitReached("limits.session_bytes", maxSessionBytes, problem);
    }
  }

  #count(sessionId: string, bytes: number): void {
    const name = nameIn(sessionId);
    const by = bytes - (this.#bySession.get(sessionId) ?? 0);
    setOrDelete(this.#bySession, sessionId, bytes);
    setOrDelete(this.#byName, name, (this.#byName.get(name) ?? 0) + by);
    this.#total += by;
  }
}

/** The size of a registration, roughly. */
function bytesOf({ sessionId, capabilities, metadata }: Session): number {
  return BASE_BYTES + sessionId.length + JSON.stringify([capabilities, metadata]).length;
}

function setOrDelete(map: Map<string, number>, key: string, value: number): void {
  if (value === 0) map.delete(key);
  else map.set(key, value);
}
