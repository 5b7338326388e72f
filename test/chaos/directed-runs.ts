/**
 * Runs that cause one situation each time, for bugs of leases that random requests rarely meet. The judge
 * is that of all chaos runs.
 */
import { TaskConnection } from "../../scripts/lab/clients.ts";
import type { Workload } from "../../scripts/lab/workload.ts";
import type { TaskClient } from "../../src/client/task-client.ts";
import type { Asked } from "../../src/history/recorded-operation.ts";
import type { Problem } from "../../src/history/history.ts";
import { seenIn } from "../../src/history/recording.ts";
import type { TaskRecord } from "../../src/protocol/task-record.ts";
import type { Stores } from "../../src/service/ports.ts";
import { HeldMarkers } from "../support/held-markers.ts";
import { type Bug, type PlantedRun, problemsOf } from "./planted-run.ts";
import { StalledGrants } from "./stalled-grants.ts";

const TASKS = ["a", "b", "c"];
/** The recording shows each request, so the client repeats none. */
const ONCE = { deadlineMs: 0, timeoutMs: 10_000 };
const SHORT_TTL_SECONDS = 1;
/** Long enough for what the bug does to be early. */
const TTL_SECONDS = 2;
/** The worker takes a claim back within a second of the end. */
const QUIET_WITH_BUG_MS = 5_000;
/** Much longer than the judge waits for the return of a claim. */
const LONG_TTL_SECONDS = 120;

export interface DirectedRun {
  readonly problems: readonly Problem[];
  /** The tasks that the bug has struck. */
  readonly struck: ReadonlySet<string>;
}

/**
 * The worker is about to grant the lease of a claim when the holder renews. The renewal creates the lease. The
 * holder dies, and the lease ends before the worker goes on.
 */
export function grantAfterTheEnd(plant?: Bug): Promise<DirectedRun> {
  const grants = new StalledGrants();
  const markers = new HeldMarkers();
  markers.release();
  return direct(plant, (planted) => ({
    wrapStores: (stores) => grants.wrapStores(markers.wrapStores(planted(stores))),
    // Another worker would take the claim back in place of this one.
    workers: 1,
    settings: { lease_grace_ms: 600 },
    work: async (holder) => {
      await each(async (taskId) => {
        const stalled = grants.stalled(taskId);
        await holder.claimNew(taskId, LONG_TTL_SECONDS);
        await stalled;
        const ended = markers.marker(taskId);
        await holder.renew(taskId, SHORT_TTL_SECONDS);
        await ended;
      });
      grants.release();
    },
  }));
}

/** The lease ends, the holder renews, and after that the workers learn of the end. */
export function renewalAfterTheEnd(plant?: Bug): Promise<DirectedRun> {
  return afterTheEnd(plant, (holder, taskId) => holder.renew(taskId));
}

/** The lease ends, another session gets the task by an operator, and after that the workers learn of the end. */
export function claimAfterTheEnd(plant?: Bug): Promise<DirectedRun> {
  return afterTheEnd(plant, async (holder, taskId) => {
    await holder.requeue(taskId);
    await holder.claim(taskId, TTL_SECONDS);
    await holder.renew(taskId);
  });
}

/** `act`: what happens to each task after the end of its lease, before the workers learn of the end. */
function afterTheEnd(
  plant: Bug | undefined,
  act: (holder: Holder, taskId: string) => Promise<unknown>,
): Promise<DirectedRun> {
  const markers = new HeldMarkers();
  return direct(plant, (planted) => ({
    wrapStores: (stores) => planted(markers.wrapStores(stores)),
    workers: 2,
    work: async (holder) => {
      await each(async (taskId) => {
        const ended = markers.marker(taskId);
        await holder.claimNew(taskId, TTL_SECONDS);
        await ended;
        await act(holder, taskId);
      });
      markers.release();
    },
  }));
}

/** `work` causes the situation. */
interface Direction extends Pick<PlantedRun, "wrapStores" | "workers" | "settings"> {
  readonly work: (holder: Holder) => Promise<void>;
}

async function direct(
  plant: Bug | undefined,
  make: (planted: (stores: Stores) => Stores) => Direction,
): Promise<DirectedRun> {
  const struck = new Set<string>();
  const planted = plant?.((taskId) => struck.add(taskId)) ?? ((stores: Stores) => stores);
  const { work, ...run } = make(planted);
  const problems = await problemsOf({
    ...run,
    sessions: 0,
    work: async (workload, coordinator) => {
      await using client = await TaskConnection.open([coordinator.server.url], "holder");
      await work(new Holder(client.tasks, workload));
    },
    ...(plant === undefined ? {} : { quietMs: QUIET_WITH_BUG_MS }),
  });
  return { problems, struck };
}

async function each(work: (taskId: string) => Promise<void>): Promise<void> {
  await Promise.all(TASKS.map(work));
}

/** Sends the requests of sessions, and records them for the judge. Each claim is made by another session. */
class Holder {
  readonly #tasks: TaskClient;
  readonly #workload: Workload;
  /** By task: the session that holds it. */
  readonly #holders = new Map<string, { readonly sessionId: string; readonly attempt: number }>();

  constructor(tasks: TaskClient, workload: Workload) {
    this.#tasks = tasks;
    this.#workload = workload;
  }

  async claimNew(taskId: string, ttlSeconds: number): Promise<void> {
    const limits = { maxFailures: 3, maxLostLeases: 10 };
    const asked = { kind: "create", ...limits, dependsOn: [] } as const;
    await this.#run(taskId, asked, () => this.#tasks.create(taskId, {}, ONCE));
    await this.claim(taskId, ttlSeconds);
  }

  async claim(taskId: string, ttlSeconds: number): Promise<void> {
    const attempt = (this.#holders.get(taskId)?.attempt ?? 0) + 1;
    const sessionId = `holder-${attempt}-of-${taskId}`;
    this.#holders.set(taskId, { sessionId, attempt });
    const input = { session_id: sessionId, ttl_seconds: ttlSeconds };
    const asked = { kind: "claim", sessionId, ttlSeconds } as const;
    await this.#run(taskId, asked, () => this.#tasks.claim(taskId, input, ONCE));
  }

  /** Without a TTL, the lease keeps its length. */
  async renew(taskId: string, ttlSeconds?: number): Promise<void> {
    const { sessionId, attempt } = this.#holders.get(taskId) ?? { sessionId: "", attempt: 0 };
    const ttl = ttlSeconds === undefined ? {} : { ttlSeconds };
    const asked = { kind: "renew", sessionId, attempt, ...ttl } as const;
    const length = ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds };
    const input = { session_id: sessionId, attempt, ...length };
    const of = { taskId, client: sessionId, asked };
    const renew = () => this.#tasks.renew(taskId, input, ONCE);
    succeeded(await this.#workload.recording.run(of, renew, () => null), of);
  }

  async requeue(taskId: string): Promise<void> {
    await this.#run(taskId, { kind: "requeue" }, () => this.#tasks.requeue(taskId, {}, ONCE));
  }

  async #run(
    taskId: string,
    asked: Asked,
    operation: () => Promise<{ readonly task: TaskRecord }>,
  ): Promise<void> {
    const client = this.#holders.get(taskId)?.sessionId ?? "operator";
    const of = { taskId, client, asked };
    succeeded(await this.#workload.recording.run(of, operation, ({ task }) => seenIn(task)), of);
  }
}

/** @throws if the situation cannot be caused */
function succeeded(reply: object | null, of: object): void {
  if (reply === null) throw new Error(`${JSON.stringify(of)} did not succeed`);
}
