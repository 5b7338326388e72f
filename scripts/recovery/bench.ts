/** A cluster under measurement with a client, and the figures that a measurement yields. */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { Cleanup } from "../../src/cleanup.ts";
import type { TaskClient } from "../../src/client/task-client.ts";
import type { Connection } from "../../src/nats/connection.ts";
import { TaskConnection } from "../lab/clients.ts";
import { Cluster } from "../lab/cluster.ts";
import { median } from "../lab/statistics.ts";
import type { RecoveryOptions } from "./options.ts";

export interface BenchOptions extends Pick<RecoveryOptions, "nodes" | "workers"> {
  readonly binary: string;
  /** The bench creates its own folder in this one. */
  readonly folder: string;
}

export class Bench implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly tasks: TaskClient;
  readonly #cleanup: Cleanup;
  #prefixes = 0;

  private constructor(cluster: Cluster, client: TaskConnection, cleanup: Cleanup) {
    this.cluster = cluster;
    this.connection = client.connection;
    this.tasks = client.tasks;
    this.#cleanup = cleanup;
  }

  /** Resolves when the coordinator answers. */
  static async start({ folder, ...options }: BenchOptions): Promise<Bench> {
    const cleanup = new Cleanup();
    try {
      const place = { network: null, isDirect: true };
      const own = mkdtempSync(join(folder, "bench-"));
      const cluster = cleanup.use(
        await Cluster.start({ ...options, ...place, figures: true, folder: own }),
      );
      const client = cleanup.use(await TaskConnection.open(cluster.urls, "recovery"));
      return new Bench(cluster, client, cleanup);
    } catch (error) {
      await cleanup[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Creates tasks that nobody has claimed. Resolves to their ids. */
  async newTasks(count: number): Promise<readonly string[]> {
    const prefix = `p${++this.#prefixes}`;
    const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    const tasks = ids.map((task_id) => ({ task_id }));
    await this.tasks.importTasks(tasks, {}, { deadlineMs: 60_000 });
    return ids;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }
}

/** A figure with its name. */
export interface Row {
  readonly what: string;
  readonly unit: "ms" | "requests" | "MiB" | "writes";
  /** One value for each round. */
  readonly values: readonly number[];
}

export type Summary = ReturnType<typeof summarize>;

export function summarize({ what, unit, values }: Row) {
  return {
    what,
    unit,
    rounds: values.length,
    median: Math.round(median(values)),
    min: Math.round(Math.min(...values)),
    max: Math.round(Math.max(...values)),
  };
}
