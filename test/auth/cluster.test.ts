/** A cluster passes accounts on, also to a server that was down. */
import assert from "node:assert/strict";
import { cp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  AuthorizationError,
  connect,
  credsAuthenticator,
  type NatsConnection,
} from "@nats-io/transport-node";
import type { AuthFolder } from "../../src/auth/auth-folder.ts";
import { initSetUp } from "../../src/auth/init-set-up.ts";
import { DEFAULT_LIMITS } from "../../src/auth/limits.ts";
import { addPrincipal, revokePrincipal, type SignedAccount } from "../../src/auth/principals.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { pushAccounts } from "../../src/nats/account-updates.ts";
import { USER_NAMES } from "../../src/nats/login.ts";
import { type NatsServerProcess, startNatsServer } from "../../src/nats-server/dev-server.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

/** The resolvers compare their accounts every 10 s. */
const PATIENCE_MS = 30_000;
const POLL_MS = 100;

class Node {
  readonly #home: string;
  readonly #name: string;
  readonly #port: number;
  readonly #config: string;
  #process: NatsServerProcess | null = null;

  /** With a copy of the accounts, as on another machine. */
  static async create(folder: AuthFolder, home: string, name: string, routes: readonly number[]) {
    const accounts = join(home, `${name}-jwt`);
    await cp(folder.file("jwt"), accounts, { recursive: true });
    const config = await readFile(folder.file("nats-server.conf"), "utf8");
    const port = await takePort();
    return new Node(home, name, port, config.replace(folder.file("jwt"), accounts), routes);
  }

  private constructor(
    home: string,
    name: string,
    port: number,
    config: string,
    routes: readonly number[],
  ) {
    this.#home = home;
    this.#name = name;
    this.#port = port;
    const [own = 0] = name === "n0" ? routes : routes.slice(1);
    const urls = routes.map((port) => `"nats://127.0.0.1:${port}"`).join(", ");
    this.#config = `${config}\ncluster { name: c, listen: "127.0.0.1:${own}", routes: [${urls}] }\n`;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#process = await startNatsServer({
      binary: await serverBinary(),
      port: this.#port,
      storeDir: join(this.#home, this.#name),
      config: this.#config,
      serverName: this.#name,
    });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  connect(credentials: string): Promise<NatsConnection> {
    const authenticator = credsAuthenticator(new TextEncoder().encode(credentials));
    return connect({ servers: this.url, authenticator, reconnect: false });
  }
}

describe("a cluster with a secured set-up", () => {
  it("serves a new agent on every server, and refuses a revoked one, also after a server returns", async () => {
    await using cleanup = new Cleanup();
    const home = cleanup.use(await TempFolder.create());
    const listen = { server: "nats://127.0.0.1:1", host: "127.0.0.1", port: 1, tlsFor: null };
    const folder = await initSetUp(join(home.path, "auth"), listen);
    const routes = [await takePort(), await takePort()];
    const [n0, n1] = await Promise.all(
      (["n0", "n1"] as const).map((name) => Node.create(folder, home.path, name, routes)),
    );
    assert.ok(n0 !== undefined && n1 !== undefined);
    for (const node of [n0, n1]) cleanup.defer(() => node.stop());
    await Promise.all([n0.start(), n1.start()]);
    const push = (node: Node, { jwt }: SignedAccount): Promise<string | null> => {
      const credsFile = folder.credentialsFile("admin");
      return pushAccounts({ servers: [node.url], credsFile }, USER_NAMES, [jwt]);
    };

    const worker = await n0.connect((await folder.credentials("worker")) ?? "");
    worker.subscribe("agent.*.tasks.>", {
      callback: (_, message) => {
        message.respond(message.subject);
      },
    });
    await worker.flush();
    const agent = { name: "s1", role: "agent", limits: DEFAULT_LIMITS } as const;
    const { signed, credentials } = await addPrincipal(folder, agent);
    await push(n0, signed);
    const s1 = await n1.connect(credentials);
    const served = await until(async () => {
      const reply = await s1.request("tasks.stats", "", { timeout: 5_000 });
      return reply.string();
    });
    assert.equal(served, "agent.s1.tasks.stats");

    await n1.stop();
    const now = Math.floor(Date.now() / 1000);
    await push(n0, await revokePrincipal(folder, "s1", now));
    await assert.rejects(n0.connect(credentials), AuthorizationError);
    await n1.start();
    await until(async () => {
      const late = await n1.connect(credentials).catch((error: unknown) => error);
      if (late instanceof AuthorizationError) return;
      await (late as NatsConnection).close();
      assert.fail("the server lets it in");
    });
    await worker.close();
  });
});

/** Tries until it works. */
async function until<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      // A server gives no signal that its resolver has new accounts.
      await delay(POLL_MS);
    }
  }
}
