/**
 * How large the registrations of sessions may be together: of all, and of those whose ids begin with the same
 * name, such as the sessions of an agent. Workers keep all of them in memory.
 */
import { Counts } from "./counts.ts";
import { NOTHING_RESERVED } from "./ownership-limits.ts";
import type { ServiceContext, Session } from "./ports.ts";
import { limitReached } from "./refusals.ts";
import type { SessionIndex } from "./session-index.ts";
import { nameIn } from "./session-name.ts";

/** What a registration takes next to its capabilities and its metadata. */
const BASE_BYTES = 256;

export class SessionLimits {
  readonly #settings: ServiceContext["settings"];
  readonly #bySession = new Counts();
  readonly #byName = new Counts();
  /** What registrations under way add, for each name. */
  readonly #underWay = new Counts();
  #totalUnderWay = 0;
  #total = 0;

  constructor(index: SessionIndex, { settings }: Pick<ServiceContext, "settings">) {
    this.#settings = settings;
    index.onChange(({ sessionId, before, after }) => {
      // A renewal mostly changes nothing here.
      if (before !== after) this.#count(sessionId, after === null ? 0 : bytesOf(after));
    });
  }

  /**
   * Keeps room for a registration. Call the returned function when it is written or given up.
   *
   * @throws CoordinatorError `limit_reached`
   */
  reserve(session: Session): () => void {
    const { sessionId } = session;
    const { maxSessionBytes, maxSessionBytesPerPrincipal: most } = this.#settings;
    const added = bytesOf(session) - this.#bySession.of(sessionId);
    if (added <= 0) return NOTHING_RESERVED;
    const name = nameIn(sessionId);
    if (this.#byName.of(name) + this.#underWay.of(name) + added > most) {
      const problem = `the registrations of ${name} are too large together: unregister some, or let them expire`;
      throw limitReached("limits.session_bytes_per_principal", most, problem);
    }
    if (this.#total + this.#totalUnderWay + added > maxSessionBytes) {
      const problem = "all registrations are too large together: wait until some expire";
      throw limitReached("limits.session_bytes", maxSessionBytes, problem);
    }
    this.#keep(name, added);
    return () => {
      this.#keep(name, -added);
    };
  }

  #keep(name: string, bytes: number): void {
    this.#underWay.add(name, bytes);
    this.#totalUnderWay += bytes;
  }

  #count(sessionId: string, bytes: number): void {
    const by = bytes - this.#bySession.of(sessionId);
    this.#bySession.add(sessionId, by);
    this.#byName.add(nameIn(sessionId), by);
    this.#total += by;
  }
}

/** The size of a registration, roughly. */
function bytesOf({ sessionId, capabilities, metadata }: Session): number {
  return BASE_BYTES + sessionId.length + JSON.stringify([capabilities, metadata]).length;
}
