/** A client of the coordinator, which sends plain requests as a client in any language does. */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { QUIET } from "../scripts/lab/clients.ts";
import { TaskClient } from "../src/client/task-client.ts";
import { createRequester } from "../src/nats/request.ts";
import { MAX_TTL_SECONDS } from "../src/protocol/fields.ts";
import { definition } from "./definition.ts";
import { timed } from "./load.ts";

const TIMEOUT_MS = 60_000;
const IMPORTED_AT_ONCE = 10_000;
const IMPORT_DEADLINE_MS = 300_000;
/** The longest possible, so that no lease expires in a later round. */
export const ttl_seconds = MAX_TTL_SECONDS;

export interface Claimed {
  readonly task: { readonly task_id: string };
  readonly attempt: number;
}

/** The fields of replies that the benchmark reads. */
export interface Reply extends Claimed {
  readonly ok: boolean;
  readonly already_held?: boolean;
  readonly claims: readonly Claimed[];
  /** Of a release that asks for the next tasks. */
  readonly next?: { readonly claims: readonly Claimed[] };
  readonly error?: { readonly code: string };
}

export class BenchClient implements AsyncDisposable {
  readonly connection: NatsConnection;
  readonly tasks: TaskClient;
  #prefixes = 0;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    this.tasks = new TaskClient(createRequester(connection), { logger: QUIET });
  }

  static async connect(servers: readonly string[]): Promise<BenchClient> {
    return new BenchClient(await connect({ servers: [...servers], name: "bench" }));
  }

  /** Resolves to the reply, even if that is an error. */
  async ask(subject: string, body: object): Promise<Reply> {
    const options = { timeout: TIMEOUT_MS };
    return (await this.connection.request(subject, JSON.stringify(body), options)).json();
  }

  /** @throws Error if the reply is an error */
  async request(subject: string, body: object): Promise<Reply> {
    const reply = await this.ask(subject, body);
    if (!reply.ok) throw new Error(`${subject}: ${JSON.stringify(reply)}`);
    return reply;
  }

  /** Creates tasks. @returns their ids */
  async make(count: number, more: (index: number) => object = () => ({})): Promise<string[]> {
    const prefix = `m${++this.#prefixes}`;
    const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
    for (let from = 0; from < count; from += IMPORTED_AT_ONCE) {
      const definitions = ids.slice(from, from + IMPORTED_AT_ONCE).map((task_id, i) => {
        return { task_id, ...definition(from + i), ...more(from + i) };
      });
      await this.tasks.importTasks(definitions, {}, { deadlineMs: IMPORT_DEADLINE_MS });
    }
    return ids;
  }

  claim(id: string, session_id = "bench"): Promise<Reply> {
    return this.request(`tasks.claim.${id}`, { session_id, ttl_seconds });
  }

  /** @throws Error if fewer tasks than `max` are available */
  async next(max: number, session_id = "bench"): Promise<readonly Claimed[]> {
    const { claims } = await this.request("tasks.next", { session_id, max, ttl_seconds });
    if (claims.length !== max) throw new Error(`${claims.length} claims instead of ${max}`);
    return claims;
  }

  /** Claims new tasks, one at a time. @returns the milliseconds of each claim */
  async timedClaims(count: number): Promise<number[]> {
    const times: number[] = [];
    while (times.length < count) times.push(await this.#timedClaim());
    return times;
  }

  /** The same, without end. @returns a function that stops it, and resolves to the milliseconds */
  claimUntilStopped(): () => Promise<number[]> {
    const stop = new AbortController();
    const claim = async (): Promise<number[]> => {
      const times: number[] = [];
      while (!stop.signal.aborted) times.push(await this.#timedClaim());
      return times;
    };
    const claiming = claim();
    return () => {
      stop.abort();
      return claiming;
    };
  }

  /** The floor: a request and one write, which the responder of `floor.ts` makes. */
  async writeFloor(): Promise<void> {
    const body = JSON.stringify({ session_id: "bench", ttl_seconds });
    const options = { timeout: TIMEOUT_MS };
    await this.connection.request(`bench.write.${crypto.randomUUID()}`, body, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }

  async #timedClaim(): Promise<number> {
    const id = `others-${crypto.randomUUID().slice(0, 8)}`;
    await this.request(`tasks.create.${id}`, { title: "A task of the benchmark" });
    return await timed(() => this.claim(id));
  }
}
