/**
 * Records the updates that a subscriber of the library receives, and compares them, revision by revision, with
 * the history in the bucket. The history is read without the coordinator.
 *
 *     await using client = await UpdateClient.connect(server.url);
 *     const seen = await client.observe({ since: "beginning" });
 *     await seen.until(12);
 *     await seen.assertIsHistory(connection);
 */
import assert from "node:assert/strict";
import type { NatsConnection } from "@nats-io/transport-node";
import {
  Coordinator,
  EventBus,
  type SubscribeOptions,
  type TaskRemoval,
  type TaskUpdate,
} from "../../src/index.ts";
import { readHistory, type RecordedEntry } from "../../src/nats/read-history.ts";
import { encodeTask } from "../../src/protocol/task-record.ts";

/** The time to wait for an update before the test fails. */
const PATIENCE_MS = 15_000;

export interface HistoryOptions {
  /** The revision after which the subscription began. Default: 0. */
  readonly after?: number;
  /** Which updates the subscriber should have received. Default: all. */
  readonly wants?: (update: TaskUpdate) => boolean;
  /** The revisions of the updates that should report missing transitions. */
  readonly gapsBefore?: readonly number[];
}

export class ObservedUpdates {
  /** The updates and removals in the order in which they arrived. */
  readonly seen: (TaskUpdate | TaskRemoval)[] = [];
  readonly #waiting = new Set<() => void>();

  get updates(): TaskUpdate[] {
    return this.seen.filter((one) => "task" in one);
  }

  get removals(): TaskRemoval[] {
    return this.seen.filter((one) => !("task" in one));
  }

  get revisions(): number[] {
    return this.seen.map(({ revision }) => revision);
  }

  readonly add = (one: TaskUpdate | TaskRemoval): void => {
    this.seen.push(one);
    for (const check of [...this.#waiting]) check();
  };

  /** Resolves when the update with this revision has arrived. */
  async until(revision: number): Promise<void> {
    await this.untilSeen((one) => one.revision === revision, `revision ${revision}`);
  }

  /** Resolves when an update or a removal that matches has arrived. */
  async untilSeen(fits: (one: TaskUpdate | TaskRemoval) => boolean, what: string): Promise<void> {
    if (this.seen.some(fits)) return;
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        const last = this.seen.at(-1);
        if (last === undefined || !fits(last)) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(`${what} has not arrived; arrived: ${this.revisions.slice(-50).join(", ")}`),
        );
      }, PATIENCE_MS);
      this.#waiting.add(check);
    });
  }

  /** Asserts that exactly the history of the bucket has arrived: nothing else, nothing twice, in order. */
  async assertIsHistory(
    source: NatsConnection | readonly RecordedEntry[],
    options: HistoryOptions = {},
  ): Promise<void> {
    const { after = 0, wants = () => true, gapsBefore = [] } = options;
    const history = "subscribe" in source ? await readHistory(source) : source;
    const expected = history
      .filter(({ revision }) => revision > after)
      .map((entry) => toExpected(entry, gapsBefore.includes(entry.revision)))
      .filter((one) => "task" in one && wants(one));
    const told = this.updates;
    assert.deepEqual(
      told.map(({ revision }) => revision),
      expected.map(({ revision }) => revision),
    );
    for (const [i, update] of told.entries()) assert.deepEqual(update, expected[i]);
  }
}

/** The connection of a session, with its log. */
export class UpdateClient implements AsyncDisposable {
  readonly coordinator: Coordinator;
  /** The warnings and errors in the log. */
  readonly logged: string[];
  readonly bus: EventBus;

  private constructor(bus: EventBus, logged: string[]) {
    this.bus = bus;
    this.logged = logged;
    this.coordinator = new Coordinator(bus);
  }

  static async connect(url: string): Promise<UpdateClient> {
    const logged: string[] = [];
    const log = (message: string): void => {
      logged.push(message);
    };
    const bus = new EventBus({
      backend: "nats",
      config: { servers: url, reconnectTimeWait: 0.02 },
      logger: { debug: () => undefined, warn: log, error: log },
    });
    assert.ok(await bus.connect(), logged.join("\n"));
    return new UpdateClient(bus, logged);
  }

  /** Subscribes. The callback records each update, and then calls `work`. */
  async observe(
    options: Omit<SubscribeOptions, "onRemoved"> = {},
    work: (update: TaskUpdate) => unknown = () => undefined,
  ): Promise<ObservedUpdates & { readonly id: string }> {
    const seen = new ObservedUpdates();
    const callback = (update: TaskUpdate): unknown => {
      seen.add(update);
      return work(update);
    };
    const id = await this.coordinator.subscribeTaskUpdates(callback, {
      ...options,
      onRemoved: seen.add,
    });
    return Object.assign(seen, { id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator.stop();
    await this.bus.disconnect();
  }
}

function toExpected(entry: RecordedEntry, isAfterGap: boolean): TaskUpdate | TaskRemoval {
  const { taskId: task_id, revision } = entry;
  if (entry.task === null) return { task_id, revision };
  const task = encodeTask(entry.task);
  const event = task.last_event ?? {
    type: "task_updated" as const,
    task_id,
    old_status: null,
    new_status: task.status,
    claimed_by: task.claimed_by,
    session_id: null,
    reason: null,
    timestamp: task.updated_at,
  };
  return { ...event, revision, task, transitions_missing: isAfterGap };
}
