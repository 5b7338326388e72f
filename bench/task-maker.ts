/** Makes many tasks, such as a swarm's planner would write. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { TaskClient } from "../src/client/task-client.ts";
import { createRequester } from "../src/nats/request.ts";
import { QUIET } from "../scripts/lab/quiet-logger.ts";
import { definition } from "./definition.ts";

const AT_ONCE = 10_000;
const DEADLINE_MS = 300_000;

export class TaskMaker implements AsyncDisposable {
  readonly connection: NatsConnection;
  readonly tasks: TaskClient;
  #prefixes = 0;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    this.tasks = new TaskClient(createRequester(connection), { logger: QUIET });
  }

  static async connect(servers: readonly string[]): Promise<TaskMaker> {
    return new TaskMaker(await connect({ servers: [...servers], name: "bench" }));
  }

  /** @returns their ids */
  async make(count: number, more: (index: number) => object = () => ({})): Promise<string[]> {
    const prefix = `m${++this.#prefixes}`;
    const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = ids.slice(from, from + AT_ONCE);
      const definitions = some.map((task_id, i) => {
        return { task_id, ...definition(from + i), ...more(from + i) };
      });
      await this.tasks.importTasks(definitions, {}, { deadlineMs: DEADLINE_MS });
    }
    return ids;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
