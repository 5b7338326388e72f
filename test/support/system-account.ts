/** A coordinator that receives disconnect reports, and connections that a test can cut. */
import { once } from "node:events";
import type { Socket } from "node:net";
import type { NatsConnection } from "@nats-io/transport-node";
import { connectionIdOf } from "../../src/nats/connection.ts";
import type { TestServer } from "./nats-server.ts";
import { type Json, TestCoordinator, type TestCoordinatorOptions } from "./test-coordinator.ts";

/**
 * Clients connect without a password. Only the system user has one, and the permission that the guide names.
 * The clients have an account of their own, because nats-server 2.11 does not report the default account.
 */
export const SYSTEM_SERVER = {
  config: `jetstream: enabled
    no_auth_user: anybody
    accounts {
      CLIENTS { jetstream: enabled, users: [ { user: "anybody", password: "none" } ] }
      $SYS { users: [ { user: "system", password: "secret"
        permissions: { publish: { deny: ">" }, subscribe: "$SYS.ACCOUNT.*.DISCONNECT" } } ] } }`,
};
export const SYSTEM_USER = { "nats.system_username": "system", "nats.system_password": "secret" };

export function startHearing(options: TestCoordinatorOptions = {}): Promise<TestCoordinator> {
  const { settings, ...others } = options;
  return TestCoordinator.start({
    server: SYSTEM_SERVER,
    settings: { ...SYSTEM_USER, disconnect_grace_ms: 200, ...settings },
    ...others,
  });
}

/** The connection of a session. A test can cut it without a word to the server. */
export class Agent {
  readonly connection: NatsConnection;
  /** The id that requests name. */
  readonly id: { readonly server_id: string; readonly client_id: number };

  private constructor(connection: NatsConnection) {
    this.connection = connection;
    const id = connectionIdOf(connection);
    if (id === null) throw new Error("the server has not said who it is");
    this.id = { server_id: id.serverId, client_id: id.clientId };
  }

  static async connect(server: TestServer): Promise<Agent> {
    return new Agent(await server.connect({ reconnect: false }));
  }

  async ok(subject: string, body: object): Promise<Json> {
    const reply = await this.connection.request(subject, JSON.stringify(body), { timeout: 10_000 });
    const json: Json = reply.json();
    if (json.ok !== true) throw new Error(JSON.stringify(json.error));
    return json;
  }

  /** Claims the task with a lease of an hour, which ends early with this connection. */
  claim(taskId: string, more: object = {}): Promise<Json> {
    const release_on_disconnect = this.id;
    const body = { session_id: "s1", ttl_seconds: 3_600, release_on_disconnect, ...more };
    return this.ok(`tasks.claim.${taskId}`, body);
  }

  /** Closes the socket, as the death of the process does. */
  async vanish(): Promise<void> {
    // The NATS client does not expose its socket, and has no other way to end a connection without a word.
    const { protocol } = this.connection as unknown as {
      protocol: { transport: { socket: Socket } };
    };
    const { socket } = protocol.transport;
    const closed = once(socket, "close");
    socket.destroy();
    await closed;
  }
}
