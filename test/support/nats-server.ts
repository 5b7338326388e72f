/**
 * A real NATS server for a test. It is stopped at the end of the scope:
 *
 *     await using server = await TestServer.start();
 *     const connection = await server.connect();
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import { takePort } from "../../scripts/lab/ports.ts";
import { loadConfig } from "../../src/config.ts";
import { type NatsServerProcess, startNatsServer } from "../../src/nats-server/dev-server.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";

export interface TestServerOptions {
  /** Configuration of the server, such as accounts. Default: JetStream and nothing else. */
  readonly config?: string;
  /** Environment variables that it refers to. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Whether the server has JetStream. Default: true. */
  readonly jetstream?: boolean;
}

export class TestServer implements AsyncDisposable {
  readonly storeDir: string;
  readonly port: number;
  readonly url: string;
  #process: NatsServerProcess;
  readonly #options: TestServerOptions;
  readonly #connections: NatsConnection[] = [];

  private constructor(storeDir: string, process: NatsServerProcess, options: TestServerOptions) {
    this.storeDir = storeDir;
    this.port = process.port;
    this.url = process.url;
    this.#process = process;
    this.#options = options;
  }

  /** Starts on a free port, with an empty store folder. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const storeDir = await mkdtemp(join(tmpdir(), "nats-"));
    try {
      const process = await launch(storeDir, await takePort(), options);
      return new TestServer(storeDir, process, options);
    } catch (error) {
      await rm(storeDir, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** A connection that is closed with the server. It reconnects quickly and never gives up. */
  async connect(options: NodeConnectionOptions = {}): Promise<NatsConnection> {
    const connection = await connect({
      servers: this.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      reconnectJitter: 0,
      ...options,
    });
    this.#connections.push(connection);
    return connection;
  }

  /** Ends the server like a crash (kill -9). Resolves when it has ended. The store folder stays. */
  async kill(): Promise<void> {
    this.#process.kill();
    await this.#process.exited;
  }

  /** Stops the server with SIGTERM. The store folder stays. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }

  /** Starts the server again after `kill` or `stop`, on the same port and store folder. */
  async restart(): Promise<void> {
    this.#process = await launch(this.storeDir, this.port, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
    await this.kill();
    await rm(this.storeDir, { recursive: true, force: true });
  }
}

/** The path of the nats-server that the tests use. */
export function serverBinary(): Promise<string> {
  binary ??= resolveServerBinary(loadConfig().dev);
  return binary;
}

let binary: Promise<string> | undefined;

async function launch(
  storeDir: string,
  port: number,
  options: TestServerOptions,
): Promise<NatsServerProcess> {
  return startNatsServer({ ...options, binary: await serverBinary(), storeDir, port });
}
