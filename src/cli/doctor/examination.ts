/**
 * What the checks have in common: the connection, and the facts that several checks need. Each fact is read
 * once, when the first check asks for it.
 */
import type { Calls } from "../../client/calls.ts";
import type { Connection } from "../../nats/connection.ts";
import { hostAndPortOf } from "../../nats/connection-values.ts";
import { type AddressFacts, inspectAddress } from "../../nats/inspection/address.ts";
import { inspectConnection, inspectUser } from "../../nats/inspection/connection-facts.ts";
import { inspectBuckets, openJetStream } from "../../nats/inspection/jetstream-facts.ts";
import { readLeases } from "../../nats/inspection/stored-entries.ts";
import { inspectWorkers } from "../../nats/inspection/worker-facts.ts";
import type { Reply } from "../../protocol/operations.ts";
import { readTasks } from "./task-facts.ts";
import type { ServerVersion } from "./verdicts/servers.ts";
import type { WorkersFacts } from "./verdicts/workers.ts";

export interface ExaminationOptions {
  /** The servers that the user has named. */
  readonly urls: readonly string[];
  readonly jsDomain: string | undefined;
  /** How old a claim without progress may be. */
  readonly overdueMs: number;
  /** The time to read all tasks. */
  readonly readingMs: number;
  /** Monitoring ports of the NATS servers. */
  readonly monitors: readonly string[];
  /** The HTTP endpoint of the workers. */
  readonly http: string;
}

/** The servers that answered, as far as they are known. */
export interface ClusterFacts {
  readonly versions: readonly ServerVersion[];
  /** `host:port` by the id of the server. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly size: number;
}

/** One answer says enough: repeating it would only hide that the first one failed. */
const ONCE = { deadlineMs: 0, timeoutMs: 5_000 };

export class Examination {
  readonly connection: Connection;
  readonly calls: Calls;
  readonly options: ExaminationOptions;

  readonly addresses = once(() => inspectAddresses(this.options.urls));
  readonly server = once(() => inspectConnection(this.connection));
  readonly user = once(() => inspectUser(this.connection));
  readonly cluster = once(() => this.#cluster());
  readonly workers = once(() => this.#workers());
  readonly jetStream = once(() => openJetStream(this.connection, this.options.jsDomain));
  readonly buckets = once(() => this.#buckets());
  readonly tasks = once(() => readTasks(this.calls, AbortSignal.timeout(this.options.readingMs)));
  readonly leases = once(async () => {
    // If the user has no buckets at all, this says so. A read of the leases would only find that nobody answers.
    await this.buckets();
    return readLeases(await this.jetStream(), AbortSignal.timeout(this.options.readingMs));
  });

  constructor(connection: Connection, calls: Calls, options: ExaminationOptions) {
    this.connection = connection;
    this.calls = calls;
    this.options = options;
  }

  /** @throws TaskError */
  async stats(): Promise<Reply<"tasks.stats">> {
    return this.calls.call("tasks.stats", undefined, () => ({}), ONCE);
  }

  /** A setting that the workers announce; `null` if none does. */
  async setting(name: string): Promise<number | null> {
    const { workers } = await this.workers();
    const [value] = workers.flatMap(({ settings }) => settings?.[name] ?? []);
    return typeof value === "number" ? value : null;
  }

  /** By the clock of the server, as far as it is known. Epoch milliseconds. */
  async now(): Promise<number> {
    const aheadMs = await this.user().then(
      ({ clock }) => clock.aheadMs,
      () => 0,
    );
    return Date.now() + aheadMs;
  }

  async #cluster(): Promise<ClusterFacts> {
    const own = await this.server();
    const named = await this.addresses();
    const others = own.announced.filter(
      (announced) => !named.some(({ address }) => address === announced),
    );
    const all = [...named, ...(await inspectAddresses(others))];
    const addresses = new Map([[own.serverId, own.address]]);
    const versions = new Map([[own.serverId, versionOf(own.serverName, own.address, own.version)]]);
    for (const { address, answer } of all) {
      if (answer.kind !== "nats" || answer.greeting.cluster !== (own.cluster ?? undefined))
        continue;
      const { server_id: id, server_name: name, version } = answer.greeting;
      if (!addresses.has(id)) addresses.set(id, address);
      versions.set(id, versionOf(name, address, version));
    }
    const size = Math.max(addresses.size, own.announced.length);
    return { versions: [...versions.values()], addresses, size };
  }

  async #workers(): Promise<WorkersFacts> {
    const [workers, answer] = await Promise.all([
      inspectWorkers(this.connection),
      this.stats().then(
        (stats) => ({ kind: "stats", stats }) as const,
        (error: unknown) => failureOf(error),
      ),
    ]);
    return { workers, answer };
  }

  async #buckets(): ReturnType<typeof inspectBuckets> {
    const [history, replicas] = [await this.setting("history"), await this.setting("replicas")];
    return inspectBuckets(await this.jetStream(), {
      history: history ?? undefined,
      replicas: replicas ?? undefined,
    });
  }
}

export function inspectAddresses(urls: readonly string[]): Promise<AddressFacts[]> {
  return Promise.all(
    urls.map((url) => {
      const { host, port } = hostAndPortOf(url);
      return inspectAddress(host, port);
    }),
  );
}

function failureOf(error: unknown): WorkersFacts["answer"] {
  if (hasProblem(error) && error.details.problem === "no_responders") return { kind: "nobody" };
  return { kind: "failed", problem: error instanceof Error ? error.message : String(error) };
}

function hasProblem(error: unknown): error is { readonly details: { readonly problem?: unknown } } {
  return error instanceof Error && "details" in error && typeof error.details === "object";
}

/** A server without a name of its own has its id as its name. */
function versionOf(name: string, address: string, version: string): ServerVersion {
  return { server: /^N[A-Z2-7]{55}$/.test(name) || name === "" ? address : name, version };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read());
}
