/** A cluster that something is brought about in, and a client of it. */
import { randomInt } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { TaskClient } from "../../src/client/task-client.ts";
import { type Connection, connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";
import { QUIET } from "../lab/quiet-logger.ts";
import { Cluster } from "../lab/cluster.ts";
import { figuresUrl } from "../lab/figures-address.ts";
import { Cleanup } from "../../src/cleanup.ts";
import type { RecoveryOptions } from "./options.ts";

export interface BenchOptions extends Pick<RecoveryOptions, "nodes" | "workers"> {
  readonly binary: string;
  /** A folder of its own is made in it. */
  readonly folder: string;
}

export class Bench implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly connection: Connection;
  readonly tasks: TaskClient;
  /** Where each node tells of itself. */
  readonly monitors: readonly string[];
  readonly #cleanup: Cleanup;
  #prefixes = 0;

  private constructor(
    cluster: Cluster,
    connection: Connection,
    monitors: readonly string[],
    cleanup: Cleanup,
  ) {
    this.cluster = cluster;
    this.connection = connection;
    this.tasks = new TaskClient(createRequester(connection), { logger: QUIET });
    this.monitors = monitors;
    this.#cleanup = cleanup;
  }

  /** Resolves when the coordinator answers. */
  static async start({ nodes, workers, binary, folder }: BenchOptions): Promise<Bench> {
    const placing = { nodes, network: null, firstPort: randomInt(10_000, 29_000) };
    const cleanup = new Cleanup();
    try {
      const cluster = cleanup.use(
        await Cluster.start({
          ...{ ...placing, workers, binary, figures: true, isDirect: true },
          folder: mkdtempSync(join(folder, "bench-")),
        }),
      );
      const { urls: servers } = cluster;
      const connection = await connectNats({ servers, reconnectTimeWait: 0.1, name: "recovery" });
      cleanup.defer(() => connection.close());
      const monitors = cluster.nodes.map(({ name }) => figuresUrl(placing, name));
      return new Bench(cluster, connection, monitors, cleanup);
    } catch (error) {
      await cleanup[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Tasks that nobody has. */
  async newTasks(count: number): Promise<readonly string[]> {
    const prefix = `p${++this.#prefixes}`;
    const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    await this.tasks.importTasks(
      ids.map((task_id) => ({ task_id })),
      {},
      { deadlineMs: 60_000 },
    );
    return ids;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }
}
