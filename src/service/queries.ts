/** Reads: one task from the leader's record, and the counts of all from the index once it has caught up. */
import type { Reply } from "../protocol/operations.ts";
import { iso } from "../protocol/instants.ts";
import { encodeTask } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { Leases } from "./leases.ts";
import type { ParkedRequests } from "./parked-requests.ts";
import type { AnswerTo, Clock, ServiceContext, TaskStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import type { SessionIndex } from "./session-index.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";

/** What `get` and `stats` show in addition to tasks. */
interface OtherParts {
  readonly leases: Leases;
  readonly sessions: SessionIndex;
  readonly parked: ParkedRequests;
  /** Whether claims end with their session's connection. */
  readonly areDisconnectsReported: () => boolean;
}

export class Queries {
  readonly #store: TaskStore;
  readonly #writer: TaskWriter;
  readonly #tasks: TaskIndex;
  readonly #others: OtherParts;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(
    { store, index, writer }: TaskAccess,
    others: OtherParts,
    { settings, clock }: ServiceContext,
  ) {
    this.#store = store;
    this.#writer = writer;
    this.#tasks = index;
    this.#others = others;
    this.#settings = settings;
    this.#clock = clock;
    this.#startedAt = clock.steady();
  }

  async get(taskId: string): Promise<AnswerTo<"tasks.get">> {
    const { task, revision } = await this.#writer.load(taskId);
    const lease = leaseOf(task, this.#others.leases);
    const deadEnds = this.#writer.deadEnds(task);
    return { body: { ok: true, task: encodeTask(task), revision, lease, dead_ends: deadEnds } };
  }

  async stats(): Promise<AnswerTo<"tasks.stats">> {
    await this.#tasks.position.catchUp(this.#store);
    const counts = this.#tasks.counts();
    const { leases, sessions, parked, areDisconnectsReported } = this.#others;
    this.#tasks.ready.promoteDue(this.#clock.now());
    const body: Reply<"tasks.stats"> = {
      ok: true,
      tasks: counts,
      total: this.#tasks.size,
      ready: counts.available - this.#tasks.ready.delayedCount,
      dead_ends: this.#tasks.deadEnds.size,
      corrupt: this.#tasks.corruptCount,
      leases: leases.index.size,
      sessions: sessions.size,
      release_on_disconnect: areDisconnectsReported(),
      revision: this.#tasks.position.revision,
      worker: {
        id: this.#settings.workerId,
        version: this.#settings.version,
        uptime_seconds: Math.round((this.#clock.steady() - this.#startedAt) / 1000),
        waiting: parked.size,
        visibility: this.#settings.visibility,
      },
    };
    return { body };
  }
}

/** The lease of the current claim; an estimate while it is not written. */
function leaseOf(task: Task, leases: Leases): Reply<"tasks.get">["lease"] {
  if (task.status !== "claimed") return null;
  const { lease, expiresAt } = leases.describe(task);
  const { ttlSeconds, progress } = lease;
  return { ttl_seconds: ttlSeconds, expires_at: iso(expiresAt), progress };
}
