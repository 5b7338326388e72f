/** Sessions: register, renew, remove, list. heartbeats.ts handles their claims. */
import { CoordinatorError, hasCode } from "../protocol/errors.ts";
import type { Reply, Request } from "../protocol/operations.ts";
import type { SessionRecord } from "../protocol/replies.ts";
import { iso } from "../protocol/instants.ts";
import type { AnswerTo, Clock, ServiceContext, Session, SessionStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { notFound, sessionReplaced } from "./refusals.ts";
import { ReplyPage } from "./reply-page.ts";
import type { SessionIndex } from "./session-index.ts";
import { NOTHING_RESERVED } from "./ownership-limits.ts";
import { SessionLimits } from "./session-limits.ts";
import type { TaskIndex } from "./task-index.ts";
import type { Viewer } from "./viewer.ts";

const WRITE_TRIES = 5;
/** How many replaced instances are remembered. Most of their processes are dead. */
const MAX_REPLACED = 16;
/** No try begins after this time, so that the client gets an answer within its own timeout. */
const TRY_FOR_MS = 2_000;

/** A request that names capabilities, in addition to those of its session. */
type Capable = Pick<Request<"tasks.claim">, "session_id" | "capabilities">;

export class Sessions {
  readonly index: SessionIndex;
  readonly #store: SessionStore;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #limits: SessionLimits;

  constructor(
    store: SessionStore,
    index: SessionIndex,
    tasks: TaskIndex,
    { settings, clock }: ServiceContext,
  ) {
    this.#limits = new SessionLimits(index, { settings });
    this.#store = store;
    this.index = index;
    this.#tasks = tasks;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** What the session registered, as far as this worker knows, and what the request names. */
  capabilitiesOf({ session_id: sessionId, capabilities: named }: Capable): readonly string[] {
    const registered = this.index.get(sessionId)?.session.capabilities ?? [];
    return registered.length === 0 ? named : [...registered, ...named];
  }

  /**
   * Tries with the capabilities that this worker knows of. If they do not suffice, it tries once more
   * with those of the leader's entry: the session may have registered a moment ago with another worker.
   *
   * `lacksSome`: whether a result shows that they do not suffice; a refusal with `missing_capabilities`
   * always does.
   */
  async withCapabilities<T>(
    request: Capable,
    attempt: (capabilities: readonly string[]) => Promise<T>,
    lacksSome: (result: T, capabilities: readonly string[]) => boolean = () => false,
  ): Promise<T> {
    const known = this.capabilitiesOf(request);
    try {
      const result = await attempt(known);
      if (!lacksSome(result, known)) return result;
    } catch (error) {
      if (!hasCode(error, "missing_capabilities")) throw error;
    }
    await this.#load(request.session_id);
    return attempt(this.capabilitiesOf(request));
  }

  /** `isReplaced`: another instance had it registered. @throws CoordinatorError `session_replaced` */
  async register(
    sessionId: string,
    request: Request<"sessions.register">,
  ): Promise<{ readonly session: SessionRecord; readonly isReplaced: boolean }> {
    this.#requireSmall(sessionId, request);
    const { instance = null } = request;
    let isReplaced = false;
    const make = (known: Session | null): Session | CoordinatorError => {
      if (instance !== null && known?.replacedInstances.includes(instance) === true) {
        return sessionReplaced(sessionId);
      }
      isReplaced = isOfOtherInstance(known, instance);
      return {
        sessionId,
        capabilities: [...new Set(request.capabilities)],
        metadata: request.metadata,
        ttlSeconds: request.ttl_seconds ?? this.#settings.sessionTtlSeconds,
        registeredAt: (isReplaced ? null : known?.registeredAt) ?? this.#clock.now(),
        instance: instance ?? known?.instance ?? null,
        replacedInstances: isReplaced ? replacedAfter(known) : (known?.replacedInstances ?? []),
      };
    };
    const session = await this.#write(sessionId, make, (made) => this.#limits.reserve(made));
    return { session: toRecord(session), isReplaced };
  }

  /** Starts the session's TTL again. @throws CoordinatorError `not_found`, `session_replaced` */
  async renew(sessionId: string, instance: string | null): Promise<SessionRecord> {
    const session = await this.#write(sessionId, (known) => {
      // A renewal does not bring back a session that has expired.
      if (known === null) return notFound("session", sessionId);
      return isOfOtherInstance(known, instance) ? sessionReplaced(sessionId) : known;
    });
    return toRecord(session);
  }

  /** @throws CoordinatorError `session_replaced` if another instance has registered the session */
  async remove(sessionId: string, instance: string | null): Promise<void> {
    for (let tries = 0; tries < WRITE_TRIES; tries++) {
      const entry = await this.#store.load(sessionId);
      if (entry?.kind !== "live") return;
      if (isOfOtherInstance(entry.session, instance)) throw sessionReplaced(sessionId);
      const outcome = await this.#store.purge(sessionId, entry.revision);
      if (outcome.kind === "written") return;
    }
    throw busy(sessionId);
  }

  /**
   * Refuses a session that belongs to another instance. The refusal is decided on the leader's entry.
   * To let a request pass, the index is enough, because claims of a replaced instance are taken back.
   *
   * @throws CoordinatorError `session_replaced`
   */
  async requireInstance(sessionId: string, instance: string): Promise<void> {
    const known = this.index.get(sessionId)?.session ?? null;
    if (!isOfOtherInstance(known, instance)) return;
    if (isOfOtherInstance(await this.#load(sessionId), instance)) throw sessionReplaced(sessionId);
  }

  /** The instance that registered the session, by the leader's entry. */
  async freshInstanceOf(sessionId: string): Promise<string | null> {
    return (await this.#load(sessionId))?.instance ?? null;
  }

  async list(
    request: Request<"sessions.list">,
    viewer: Viewer | null = null,
  ): Promise<AnswerTo<"sessions.list">> {
    await this.index.position.catchUp(this.#store);
    const { prefix, cursor: after = "", limit } = request;
    const page = new ReplyPage<Reply<"sessions.list">["sessions"][number]>(
      this.#settings.maxReplyBytes,
    );
    let isCut = false;
    for (const { session, writtenAt } of this.index.from(after > prefix ? after : prefix)) {
      const { sessionId, ttlSeconds } = session;
      if (!sessionId.startsWith(prefix)) break;
      if (sessionId === after) continue;
      if (viewer?.hidesOthers === true && !viewer.isOwnSession(sessionId)) continue;
      const expires_at = iso(writtenAt + ttlSeconds * 1000);
      const claims = this.#tasks.claims.get(sessionId).size;
      const record = { ...toRecord(session), expires_at, claims };
      isCut = page.items.length === limit || !page.add(record);
      if (!isCut) continue;
      if (page.items.length > 0) break;
      throw page.tooLarge(`the registration of ${sessionId}`, record, { cursor: sessionId });
    }
    return {
      body: {
        ok: true,
        sessions: page.items,
        next_cursor: isCut ? (page.items.at(-1)?.session_id ?? null) : null,
      },
    };
  }

  /** A registration must fit into answers and lists. @throws CoordinatorError `too_large` */
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
    this.index.apply(entry.session, entry.revision, entry.writtenAt);
    return entry.session;
  }

  /**
   * Makes the new session from the one that the index has and writes it. After a conflict, and before a
   * refusal, it is made again from the leader's entry: another worker may have registered the session.
   *
   * @param reserve keeps room for it until the returned function is called. A renewal needs none.
   */
  async #write(
    sessionId: string,
    make: (known: Session | null) => Session | CoordinatorError,
    reserve: (session: Session) => () => void = () => NOTHING_RESERVED,
  ): Promise<Session> {
    const indexed = this.index.get(sessionId);
    let known = indexed?.session ?? null;
    let expected = indexed?.revision ?? 0;
    let isFresh = false;
    const deadline = this.#clock.steady() + TRY_FOR_MS;
    for (let tries = 0; tries < WRITE_TRIES && this.#clock.steady() < deadline; tries++) {
      const session = make(known);
      if (session instanceof CoordinatorError) {
        if (isFresh) throw session;
      } else {
        const written = reserve(session);
        try {
          const outcome = await this.#store.write(session, expected);
          if (outcome.kind === "written") {
            this.index.apply(session, outcome.revision, this.#clock.now());
            return session;
          }
        } finally {
          written();
        }
      }
      const entry = await this.#store.load(sessionId);
      known = entry?.kind === "live" ? entry.session : null;
      expected = entry?.revision ?? 0;
      isFresh = true;
    }
    throw busy(sessionId);
  }
}

function busy(sessionId: string): CoordinatorError {
  return new CoordinatorError("unavailable", `session ${sessionId} is busy: ask again`);
}

/** Whether an instance other than this one has registered the session. */
function isOfOtherInstance(session: Session | null, instance: string | null): boolean {
  const registered = session?.instance ?? null;
  return instance !== null && registered !== null && instance !== registered;
}

function replacedAfter(session: Session | null): string[] {
  const { instance = null, replacedInstances = [] } = session ?? {};
  return [...replacedInstances, ...(instance === null ? [] : [instance])].slice(-MAX_REPLACED);
}

function toRecord(session: Session): SessionRecord {
  return {
    session_id: session.sessionId,
    capabilities: [...session.capabilities],
    metadata: { ...session.metadata },
    ttl_seconds: session.ttlSeconds,
    registered_at: iso(session.registeredAt),
    ...(session.instance === null ? {} : { instance: session.instance }),
  };
}
