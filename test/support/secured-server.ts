/**
 * A NATS server with the accounts of `auth init`, for a test. It is stopped at the end of the scope:
 *
 *     await using secured = await SecuredServer.start();
 *     const alice = await secured.connect(await secured.add("alice"));
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  credsAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import type { AuthFolder } from "../../src/auth/auth-folder.ts";
import { DEFAULT_LIMITS } from "../../src/auth/limits.ts";
import type { Role } from "../../src/auth/names.ts";
import { initSetUp } from "../../src/auth/init-set-up.ts";
import { addPrincipal, type SignedAccount } from "../../src/auth/principals.ts";
import { USER_NAMES } from "../../src/nats/login.ts";
import { pushAccounts } from "../../src/nats/account-updates.ts";
import type { Visibility } from "../../src/protocol/visibility.ts";
import { TestServer } from "./nats-server.ts";
import { TempFolder } from "./temp-folder.ts";

export class SecuredServer implements AsyncDisposable {
  readonly folder: AuthFolder;
  readonly server: TestServer;
  readonly #home: TempFolder;

  private constructor(home: TempFolder, folder: AuthFolder, server: TestServer) {
    this.#home = home;
    this.folder = folder;
    this.server = server;
  }

  /** `visibility`: what agents see of the tasks of others. Default: all. */
  static async start(visibility?: Visibility): Promise<SecuredServer> {
    const home = await TempFolder.create();
    const listen = { server: "nats://127.0.0.1:1", host: "127.0.0.1", port: 1, tlsFor: null };
    const options = { ...listen, ...(visibility !== undefined && { visibility }) };
    const folder = await initSetUp(join(home.path, "auth"), options);
    const config = await readFile(folder.file("nats-server.conf"), "utf8");
    return new SecuredServer(home, folder, await TestServer.start({ config }));
  }

  /** Adds a principal while the server runs. @returns the text of its credentials file */
  async add(name: string, role: Role = "agent", limits = DEFAULT_LIMITS): Promise<string> {
    const { signed, credentials } = await addPrincipal(this.folder, { name, role, limits });
    await this.push(signed);
    await this.folder.keepCredentials(name, credentials);
    return credentials;
  }

  push(...accounts: SignedAccount[]): Promise<string | null> {
    const options = {
      servers: [this.server.url],
      credsFile: this.folder.credentialsFile("admin"),
    };
    return pushAccounts(
      options,
      USER_NAMES,
      accounts.map(({ jwt }) => jwt),
    );
  }

  /** A connection that is closed with the server. */
  connect(credentials: string, options: NodeConnectionOptions = {}): Promise<NatsConnection> {
    const authenticator = credsAuthenticator(new TextEncoder().encode(credentials));
    return this.server.connect({ authenticator, ...options });
  }

  async connectAs(name: string): Promise<NatsConnection> {
    return this.connect((await this.folder.credentials(name)) ?? "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.#home[Symbol.asyncDispose]();
  }
}
