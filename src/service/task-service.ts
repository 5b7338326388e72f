/** The service of one worker: starts and stops its parts, and sends each request to its handler. */
import type { Operation } from "../protocol/operations.ts";
import { Admission } from "./admission.ts";
import { requireVisible } from "./hidden-tasks.ts";
import { requirePermission, sessionOf } from "./permission.ts";
import type {
  AgentUpdate,
  Answer,
  Arrival,
  Call,
  ConnectionId,
  RequestHandler,
  ServiceContext,
  Stoppable,
  Stores,
} from "./ports.ts";
import { bucketUnusable } from "./refusals.ts";
import type { SessionIndex } from "./session-index.ts";
import type { TaskIndex } from "./task-index.ts";
import { type Viewer, viewerOf } from "./viewer.ts";
import { type ServiceParts, wire } from "./wiring.ts";

export class TaskService implements RequestHandler {
  readonly #stores: Stores;
  readonly #context: ServiceContext;
  readonly #parts: ServiceParts;
  readonly #admission: Admission;
  #watches: Stoppable[] = [];
  #areDisconnectsReported = false;
  /** Why a bucket cannot be used, by bucket. */
  readonly #bucketProblems = new Map<string, string>();

  /** @param tellAgent sends an agent a change of its own task. It must not throw. */
  constructor(
    stores: Stores,
    context: ServiceContext,
    tellAgent: (update: AgentUpdate) => void = () => undefined,
  ) {
    this.#stores = stores;
    this.#context = context;
    this.#parts = wire(stores, context, tellAgent, () => this.#areDisconnectsReported);
    this.#admission = new Admission(context.settings, context.clock, this.#parts.rules);
  }

  get tasks(): TaskIndex {
    return this.#parts.tasks;
  }

  get sessions(): SessionIndex {
    return this.#parts.sessionIndex;
  }

  /** The number of parked `next` requests. */
  get waiting(): number {
    return this.#parts.parked.size;
  }

  /** Resolves when the indexes hold what is in the buckets. */
  async start(): Promise<void> {
    const { clock, observe } = this.#context;
    const { rules, tasks, sessionIndex, leases, retention } = this.#parts;
    const startedAt = clock.steady();
    tasks.onCorrupt((taskId, problem) => {
      observe({ kind: "corrupt_record", taskId, problem });
    });
    tasks.onCurrent(() => {
      const seconds = (clock.steady() - startedAt) / 1000;
      observe({ kind: "index_current", tasks: tasks.size, seconds });
    });
    const begun = await Promise.allSettled([
      this.#stores.principals.watch(rules),
      this.#stores.leases.watch(leases.index),
      this.#stores.sessions.watch(sessionIndex),
      this.#stores.tasks.watch(tasks),
    ]);
    // The watches that have begun are stopped with the service, even if the service does not start.
    this.#watches = begun.flatMap((watch) => (watch.status === "fulfilled" ? [watch.value] : []));
    const failure = begun.find((watch) => watch.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    await Promise.all(
      [rules, tasks, sessionIndex, leases.index].map(({ position }) => position.untilCurrent()),
    );
    retention.start();
  }

  /** From now on NATS reports every lost connection to this worker, or none. `problem`: why none. */
  setDisconnectReports(areReported: boolean, problem: string | null): void {
    this.#areDisconnectsReported = areReported;
    this.#context.observe({ kind: "disconnects", areReported, problem });
  }

  /** While a bucket has a problem, every request is refused with it. `null`: the problem is over. */
  bucketProblem(bucket: string, problem: string | null): void {
    if (problem === null) this.#bucketProblems.delete(bucket);
    else this.#bucketProblems.set(bucket, problem);
  }

  /** A client has lost its connection. `client`: as `Call.client`. */
  disconnected(connection: ConnectionId, client: string): void {
    this.#parts.followUps.disconnected(connection);
    // Until then the client can send its request again on another connection.
    setTimeout(() => {
      this.#parts.parked.disconnected(connection, client);
    }, this.#context.settings.disconnectGraceMs).unref();
  }

  /** Answers every parked request. To be called before the endpoints stop taking requests. */
  dismissWaiting(): void {
    this.#parts.parked.stop();
  }

  /** Resolves when everything under way has ended. */
  async stop(): Promise<void> {
    const { parked, followUps, retention, earlier } = this.#parts;
    parked.stop();
    await Promise.all(this.#watches.map((watch) => watch.stop()));
    await Promise.all([followUps.stop(), retention.stop(), earlier.stop()]);
  }

  isShut(sender: string): boolean {
    return this.#admission.isShut(sender);
  }

  arrive(arrival: Arrival): void {
    this.#admission.arrive(arrival);
  }

  /** @throws CoordinatorError */
  async handle(call: Call): Promise<Answer> {
    const viewer = viewerOf(this.#context.settings.visibility, call.principal);
    if (viewer === null) return this.#serve(call, null);
    try {
      return viewer.answer(call.operation, await this.#serve(call, viewer));
    } catch (error) {
      throw viewer.error(error);
    }
  }

  async #serve(call: Call, viewer: Viewer | null): Promise<Answer> {
    requirePermission(call, this.#context.settings.principalsOnly);
    for (const problem of this.#bucketProblems.values()) throw bucketUnusable(problem);
    const { operation, body } = call;
    const session = sessionOf(call);
    const instance = "instance" in body ? body.instance : undefined;
    // A registration may replace the instance. Any other request must come from the registered one.
    if (session !== undefined && instance !== undefined && operation !== "sessions.register") {
      await this.#parts.sessions.requireInstance(session, instance);
    }
    const { tasks } = this.#parts;
    if (viewer !== null) await requireVisible(viewer, call, { tasks, store: this.#stores.tasks });
    return await this.#dispatch(call);
  }

  /** Generic, so that TypeScript pairs the operation's request with the operation's handler. */
  #dispatch<O extends Operation>(call: Call<O>): Promise<Answer> {
    return this.#parts.handlers[call.operation](call);
  }
}
