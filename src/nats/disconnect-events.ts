/**
 * Reports which clients have lost their connections. The NATS servers publish that in the system account.
 *
 * A user of any account may subscribe to these subjects, but only users of the system account receive
 * anything. So we open a connection and close it, to see whether its end is reported.
 */
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { ConnectionId, Stoppable } from "../service/ports.ts";
import { clientKey } from "./request-client.ts";
import {
  connectionIdOf,
  connectNats,
  type ConnectOptions,
  listenToConnection,
} from "./connection.ts";
import { type LoginNames, USER_NAMES } from "./login.ts";

const SUBJECT = "$SYS.ACCOUNT.*.DISCONNECT";
const PROBE_MS = 2_000;
const NAMES: LoginNames = {
  ...USER_NAMES,
  user: "nats.system_username and nats.system_password, or nats.system_creds_file",
  credsFile: "nats.system_creds_file",
};

export interface DisconnectListener {
  /** `client`: the same connection as requests of other accounts name it (`request-client.ts`). */
  disconnected(connection: ConnectionId, client: string): void;
  /** Whether reports come from now on. `problem`: why not, and what to do. */
  availability(areReported: boolean, problem: string | null): void;
}

/**
 * Resolves when the listener knows whether reports are available. Never rejects: the listener receives the
 * problem instead.
 *
 * @param options for a connection as a user of the system account
 * @param probe for a connection as clients make it
 */
export async function listenForDisconnects(
  options: ConnectOptions,
  probe: ConnectOptions,
  listener: DisconnectListener,
): Promise<Stoppable> {
  let connection: NatsConnection;
  try {
    connection = await connectNats(options, NAMES);
  } catch (error) {
    listener.availability(false, problemOf(error));
    return { stop: () => Promise.resolve() };
  }
  const events = new DisconnectEvents(connection, listener);
  await events.start(probe);
  return events;
}

class DisconnectEvents implements Stoppable {
  readonly #connection: NatsConnection;
  readonly #listener: DisconnectListener;
  #stopped = false;
  /** Why the server does not permit the subscription; `null`: it does. */
  #refusal: Error | null = null;
  /** Called with each event, and without one when the subscription is refused. */
  #probed: (found?: ConnectionId) => void = () => undefined;

  constructor(connection: NatsConnection, listener: DisconnectListener) {
    this.#connection = connection;
    this.#listener = listener;
  }

  async start(probe: ConnectOptions): Promise<void> {
    this.#connection.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (error === null) this.#received(message);
        else {
          this.#refusal = error;
          this.#probed();
        }
      },
    });
    const problem = await this.#probe(probe);
    if (problem !== null) {
      this.#listener.availability(false, problem);
      await this.stop();
      return;
    }
    this.#listener.availability(true, null);
    this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#connection.close();
  }

  /** Reports are lost while the connection to the system account is broken. */
  #follow(): void {
    listenToConnection(this.#connection, {
      disconnected: () => {
        this.#tell(false, "the connection to the system account is broken: connecting again");
      },
      reconnected: () => {
        this.#tell(true, null);
      },
    });
    void this.#connection.closed().then((error) => {
      if (error instanceof Error) this.#tell(false, problemOf(error));
    });
  }

  #tell(areReported: boolean, problem: string | null): void {
    if (!this.#stopped) this.#listener.availability(areReported, problem);
  }

  #received(message: Msg): void {
    const found = read(message);
    if (found === null) return;
    this.#probed(found);
    this.#listener.disconnected(found, clientKey(found.serverName, found.clientId));
  }

  async #probe(options: ConnectOptions): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await this.#connection.flush();
      const connection = await connectNats(options);
      const own = connectionIdOf(connection);
      const reported = new Promise<boolean>((resolve) => {
        this.#probed = (found) => {
          const isOwn = found?.serverId === own?.serverId && found?.clientId === own?.clientId;
          if (isOwn || this.#refusal !== null) resolve(this.#refusal === null);
        };
        this.#probed();
        timer = setTimeout(resolve, PROBE_MS, false);
      });
      await connection.close();
      if (await reported) return null;
      return this.#refusal === null
        ? `the servers report nothing to the user: use one of the system account in ${NAMES.user}, and ` +
            "with nats-server 2.11 another account than the default one for the clients"
        : `${this.#refusal.message}: permit the user to subscribe to ${SUBJECT}`;
    } catch (error) {
      return problemOf(error);
    } finally {
      clearTimeout(timer);
      this.#probed = () => undefined;
    }
  }
}

interface Disconnect {
  readonly server: { readonly id: string; readonly name: string };
  readonly client: { readonly id: number };
}

function read(message: Msg): (ConnectionId & { readonly serverName: string }) | null {
  try {
    const { server, client } = message.json<Disconnect>();
    return { serverId: server.id, serverName: server.name, clientId: client.id };
  } catch {
    return null;
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
