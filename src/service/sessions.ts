/** Sessions: register, renew, remove, list. What concerns their claims is in heartbeats.ts. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import type { SessionRecord } from "../protocol/replies.ts";
import { iso } from "../protocol/instants.ts";
import type { Clock, ServiceSettings, Session, SessionStore } from "./ports.ts";
import { notFound } from "./refusals.ts";
import type { SessionIndex } from "./session-index.ts";

const WRITE_TRIES = 5;
/** After this no further try is begun, so that the asker gets an answer within its own timeout. */
const TRY_FOR_MS = 2_000;

export class Sessions {
  readonly index: SessionIndex;
  readonly #store: SessionStore;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;

  constructor(store: SessionStore, index: SessionIndex, settings: ServiceSettings, clock: Clock) {
    this.#store = store;
    this.index = index;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** What the session registered, together with what a request names. */
  capabilitiesOf(sessionId: string, named: readonly string[]): readonly string[] {
    const registered = this.index.get(sessionId)?.session.capabilities ?? [];
    return registered.length === 0 ? named : [...registered, ...named];
  }

  /** The same, by the leader's entry of the session. */
  async freshCapabilitiesOf(
    sessionId: string,
    named: readonly string[],
  ): Promise<readonly string[]> {
    await this.#load(sessionId);
    return this.capabilitiesOf(sessionId, named);
  }

  async register(
    sessionId: string,
    request: Request<"sessions.register">,
  ): Promise<Reply<"sessions.register">> {
    this.#requireSmall(sessionId, request);
    const session = await this.#write(sessionId, (known) => ({
      sessionId,
      capabilities: [...new Set(request.capabilities)],
      metadata: request.metadata,
      ttlSeconds: request.ttl_seconds ?? this.#settings.sessionTtlSeconds,
      registeredAt: known?.registeredAt ?? this.#clock.now(),
    }));
    return { ok: true, session: toRecord(session) };
  }

  /** Starts the session's TTL anew. @throws CoordinatorError `not_found` */
  async renew(sessionId: string): Promise<SessionRecord> {
    if (this.index.get(sessionId) === undefined) await this.#load(sessionId);
    const session = await this.#write(sessionId, (known) => {
      // One that has expired is not brought back.
      if (known === null) throw notFound("session", sessionId);
      return known;
    });
    return toRecord(session);
  }

  async remove(sessionId: string): Promise<void> {
    for (let tries = 0; tries < WRITE_TRIES; tries++) {
      const entry = await this.#store.load(sessionId);
      if (entry?.kind !== "live") return;
      const outcome = await this.#store.purge(sessionId, entry.revision);
      if (outcome.kind === "written") return;
    }
    throw busy(sessionId);
  }

  async list(
    request: Request<"sessions.list">,
    claimsOf: (sessionId: string) => number,
  ): Promise<Reply<"sessions.list">> {
    await this.index.progress.catchUp(this.#store);
    const after = request.cursor ?? "";
    const sessions = [...this.index.values()]
      .map(({ session }) => session)
      .filter(({ sessionId }) => sessionId.startsWith(request.prefix) && sessionId > after)
      .sort((a, b) => (a.sessionId < b.sessionId ? -1 : 1));
    const page = sessions.slice(0, request.limit);
    return {
      ok: true,
      sessions: page.map((session) => ({
        ...toRecord(session),
        claims: claimsOf(session.sessionId),
      })),
      next_cursor: sessions.length > page.length ? (page.at(-1)?.sessionId ?? null) : null,
    };
  }

  /** It has to fit into answers and lists. @throws CoordinatorError `too_large` */
  #requireSmall(sessionId: string, request: Request<"sessions.register">): void {
    const size = Buffer.byteLength(JSON.stringify(request));
    const limit = this.#settings.maxRecordBytes;
    if (size <= limit) return;
    throw new CoordinatorError(
      "too_large",
      `the registration of ${sessionId} has ${size} bytes, over the limit of ${limit}: ` +
        "keep large content elsewhere and put a link into metadata",
      { details: { size, limit } },
    );
  }

  async #load(sessionId: string): Promise<Session | null> {
    const entry = await this.#store.load(sessionId);
    if (entry?.kind !== "live") return null;
    this.index.apply(entry.session, entry.revision);
    return entry.session;
  }

  /**
   * Makes the session from what is known of it; after a conflict, from what the store has: another
   * worker may have registered it anew.
   */
  async #write(sessionId: string, make: (known: Session | null) => Session): Promise<Session> {
    const indexed = this.index.get(sessionId);
    let known = indexed?.session ?? null;
    let expected = indexed?.revision ?? 0;
    const deadline = this.#clock.now() + TRY_FOR_MS;
    for (let tries = 0; tries < WRITE_TRIES && this.#clock.now() < deadline; tries++) {
      const session = make(known);
      const outcome = await this.#store.write(session, expected);
      if (outcome.kind === "written") {
        this.index.apply(session, outcome.revision);
        return session;
      }
      const entry = await this.#store.load(sessionId);
      known = entry?.kind === "live" ? entry.session : null;
      expected = entry?.revision ?? 0;
    }
    throw busy(sessionId);
  }
}

function busy(sessionId: string): CoordinatorError {
  return new CoordinatorError("unavailable", `session ${sessionId} is busy: ask again`);
}

function toRecord(session: Session): SessionRecord {
  return {
    session_id: session.sessionId,
    capabilities: [...session.capabilities],
    metadata: { ...session.metadata },
    ttl_seconds: session.ttlSeconds,
    registered_at: iso(session.registeredAt),
  };
}
