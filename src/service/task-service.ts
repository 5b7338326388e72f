/** The service: puts the use cases together and sends each request to its own. */
import { CoordinatorError } from "../protocol/errors.ts";
import {
  type Operation,
  type OperationDefinition,
  OPERATIONS,
  type Request,
} from "../protocol/operations.ts";
import { Admission } from "./admission.ts";
import { Claims } from "./claims.ts";
import { DependencyWarnings } from "./dependency-warnings.ts";
import { Dependents } from "./dependents.ts";
import { TaskEdits } from "./task-edits.ts";
import { Heartbeats } from "./heartbeats.ts";
import { Importer } from "./importer.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { Limiter } from "./limiter.ts";
import { NextClaims } from "./next-claims.ts";
import type {
  Answer,
  Call,
  Clock,
  ConnectionId,
  LeaseStore,
  Observe,
  RequestHandler,
  ServiceSettings,
  SessionStore,
  Stoppable,
  TaskStore,
} from "./ports.ts";
import { PastRecords } from "./past-records.ts";
import { ParkedRequests } from "./parked-requests.ts";
import { Queries } from "./queries.ts";
import { bucketUnusable } from "./refusals.ts";
import { ReadyClaims } from "./ready-claims.ts";
import { Replacements } from "./replacements.ts";
import { Retention } from "./retention.ts";
import { SessionIndex } from "./session-index.ts";
import { Sessions } from "./sessions.ts";
import { TaskIndex } from "./task-index.ts";
import { TaskWriter } from "./task-writer.ts";

export interface Stores {
  readonly tasks: TaskStore;
  readonly leases: LeaseStore;
  readonly sessions: SessionStore;
}

/** So that what follows from one write on thousands of tasks leaves room for requests. */
const MAX_BACKGROUND_WRITES = 64;

/** Handles one operation. The body was validated against the operation's schema. */
type Handler<O extends Operation> = (
  id: string,
  body: Request<O>,
  principal: string | null,
) => Promise<object>;

export class TaskService implements RequestHandler {
  readonly tasks: TaskIndex;
  readonly sessions: SessionIndex;
  readonly #next: NextClaims;
  readonly #parked: ParkedRequests;
  readonly #stores: Stores;
  readonly #observe: Observe;
  readonly #clock: Clock;
  readonly #leases: LeaseKeeper;
  readonly #dependents: Dependents;
  readonly #replacements: Replacements;
  readonly #sessions: Sessions;
  readonly #retention: Retention;
  readonly #admission: Admission;
  readonly #disconnectGraceMs: number;
  readonly #handlers: { readonly [O in Exclude<Operation, "tasks.next">]: Handler<O> };
  #watches: Stoppable[] = [];
  #areDisconnectsReported = false;
  /** Why buckets cannot be used, by bucket. */
  readonly #bucketProblems = new Map<string, string>();

  constructor(stores: Stores, settings: ServiceSettings, clock: Clock, observe: Observe) {
    this.#stores = stores;
    this.#observe = observe;
    this.#clock = clock;
    this.#disconnectGraceMs = settings.disconnectGraceMs;
    const tasks = new TaskIndex(() => clock.now());
    const writer = new TaskWriter(stores.tasks, tasks, settings, clock, observe);
    const limiter = new Limiter(MAX_BACKGROUND_WRITES);
    const leases = new LeaseKeeper(stores.leases, tasks, writer, limiter, settings, clock, observe);
    const sessionIndex = new SessionIndex(tasks);
    const sessions = new Sessions(stores.sessions, sessionIndex, settings, clock);
    const claims = new Claims(writer, leases, sessions, settings, clock);
    const ready = new ReadyClaims(claims, tasks, settings, clock);
    const parked = new ParkedRequests(ready, tasks, settings.maxWaiting, clock);
    const next = new NextClaims(claims, ready, parked, sessions, stores.tasks, tasks, observe);
    const warnings = new DependencyWarnings(tasks);
    const edits = new TaskEdits(
      stores.tasks,
      writer,
      claims,
      tasks,
      warnings,
      settings,
      clock,
      observe,
    );
    const importer = new Importer(stores.tasks, writer, tasks, warnings, settings, clock);
    const heartbeats = new Heartbeats(sessions, claims, stores.tasks, tasks);
    const replacements = new Replacements(
      sessions,
      claims,
      stores.tasks,
      tasks,
      limiter,
      clock,
      observe,
    );
    const indexes = { tasks, leases: leases.leases, sessions: sessionIndex };
    const areDisconnectsReported = (): boolean => this.#areDisconnectsReported;
    const queries = new Queries(
      stores.tasks,
      writer,
      indexes,
      parked,
      areDisconnectsReported,
      settings,
      clock,
    );
    const past = new PastRecords(stores.tasks, settings);

    this.tasks = tasks;
    this.sessions = sessionIndex;
    this.#sessions = sessions;
    this.#replacements = replacements;
    this.#next = next;
    this.#parked = parked;
    this.#leases = leases;
    this.#dependents = new Dependents(tasks, writer, limiter, clock, observe);
    this.#retention = new Retention(stores.tasks, tasks, settings, clock, observe);
    sessionIndex.onChange((change) => {
      parked.sessionChanged(change);
    });
    this.#admission = new Admission(settings, clock, () => parked.size);
    this.#handlers = {
      "tasks.create": (id, body) => edits.create(id === "" ? undefined : id, body),
      "tasks.import": (_id, body) => importer.run(body),
      "tasks.claim": (id, body) => claims.claim(id, body),
      "tasks.renew": (id, body) => claims.renew(id, body),
      "tasks.release": (id, body) => claims.release(id, body),
      "tasks.get": (id) => queries.get(id),
      "tasks.list": (_id, body) => queries.list(body),
      "tasks.history": (id, body) => past.history(id, body),
      "tasks.changes": (_id, body) => past.changes(body),
      "tasks.verify": (id, body) => claims.verify(id, body),
      "tasks.update": (id, body) => edits.update(id, body),
      "tasks.cancel": (id, body, principal) => edits.cancel(id, body, principal !== null),
      "tasks.requeue": (id, body) => edits.requeue(id, body),
      "tasks.stats": () => queries.stats(),
      "sessions.register": (id, body) => replacements.register(id, body),
      "sessions.heartbeat": (id, body) => heartbeats.heartbeat(id, body),
      "sessions.list": (_id, body) => sessions.list(body, (id) => tasks.claims.get(id).size),
      "sessions.unregister": (id, body) => heartbeats.unregister(id, body),
    };
  }

  /** Parked `next` requests. */
  get waiting(): number {
    return this.#parked.size;
  }

  /** Resolves when the indexes hold what is in the buckets. */
  async start(): Promise<void> {
    const startedAt = this.#clock.now();
    this.tasks.onCorrupt((taskId, problem) => {
      this.#observe({ kind: "corrupt_record", taskId, problem });
    });
    this.tasks.onCurrent(() => {
      const seconds = (this.#clock.now() - startedAt) / 1000;
      this.#observe({ kind: "index_current", tasks: this.tasks.size, seconds });
    });
    const begun = await Promise.allSettled([
      this.#stores.leases.watch(this.#leases.leases),
      this.#stores.sessions.watch(this.sessions),
      this.#stores.tasks.watch(this.tasks),
    ]);
    // Those that have begun are stopped with the service, also if it does not start.
    this.#watches = begun.flatMap((watch) => (watch.status === "fulfilled" ? [watch.value] : []));
    const failure = begun.find((watch) => watch.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    await Promise.all([
      this.tasks.position.untilCurrent(),
      this.sessions.position.untilCurrent(),
      this.#leases.leases.position.untilCurrent(),
    ]);
    this.#leases.start();
    this.#retention.start();
  }

  /** From now on whoever tells of lost connections hears of all of them, or of none. */
  setDisconnectReports(areReported: boolean, problem: string | null): void {
    this.#areDisconnectsReported = areReported;
    this.#observe({ kind: "disconnects", areHeard: areReported, problem });
  }

  /** Why a bucket cannot be used: requests are refused for it; `null`: it can be again. */
  bucketProblem(bucket: string, problem: string | null): void {
    if (problem === null) this.#bucketProblems.delete(bucket);
    else this.#bucketProblems.set(bucket, problem);
  }

  /** A client has lost its connection. */
  disconnected(connection: ConnectionId): void {
    this.#leases.disconnected(connection);
    // By then the client has been able to ask again on another one.
    setTimeout(() => {
      this.#parked.disconnected(connection);
    }, this.#disconnectGraceMs).unref();
  }

  /** Answers those who wait. To be called before the endpoints stop taking requests. */
  dismissWaiting(): void {
    this.#parked.stop();
  }

  /** Resolves when everything under way has ended. */
  async stop(): Promise<void> {
    this.#parked.stop();
    await Promise.all(this.#watches.map((watch) => watch.stop()));
    await Promise.all([
      this.#dependents.stop(),
      this.#replacements.stop(),
      this.#retention.stop(),
      this.#leases.stop(),
    ]);
  }

  admit(principal: string | null): (() => void) | CoordinatorError {
    return this.#admission.enter(principal);
  }

  /** @throws CoordinatorError */
  async handle(call: Call): Promise<Answer> {
    requirePermission(call);
    for (const problem of this.#bucketProblems.values()) throw bucketUnusable(problem);
    const { operation, id = "", body, principal } = call;
    const session = sessionOf(call);
    const { instance } = body as { instance?: string };
    // A registration can bring in another instance; everything else has to be of the registered one.
    if (session !== undefined && instance !== undefined && operation !== "sessions.register") {
      await this.#sessions.requireInstance(session, instance);
    }
    if (operation === "tasks.next") {
      return this.#next.next(body as Request<"tasks.next">, call.isListening);
    }
    // The table pairs each operation with the handler of its own request type; TypeScript cannot
    // follow that through a variable key.
    const handle = this.#handlers[operation] as Handler<Operation>;
    const answer = await handle(id, body as Request<Operation>, principal);
    return { body: answer, claimedAtOnce: operation === "tasks.claim" };
  }
}

/** The session that the request is of or about; not every request is. */
function sessionOf({ operation, id, body }: Call): string | undefined {
  return operation.startsWith("sessions.") ? id : (body as { session_id?: string }).session_id;
}

/**
 * An agent, who comes in under a principal, speaks for the principal's sessions only: the session is
 * the principal itself or begins with `<principal>.`
 *
 * @throws CoordinatorError `forbidden`
 */
function requirePermission(call: Call): void {
  const { operation, principal } = call;
  if (principal === null) return;
  const definition: OperationDefinition = OPERATIONS[operation];
  if (definition.operatorsOnly === true) {
    throw new CoordinatorError("forbidden", `${operation} is for operators only: ask one to do it`);
  }
  const session = sessionOf(call);
  if (session === undefined || session === principal || session.startsWith(`${principal}.`)) return;
  throw new CoordinatorError(
    "forbidden",
    `session_id: ${session} does not belong to ${principal}: use ${principal} or ${principal}.<name>`,
    { details: { field: "session_id" } },
  );
}
