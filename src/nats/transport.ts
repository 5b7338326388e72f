/**
 * Connects as `connect` of `@nats-io/transport-node` does, and lets go of what it gives up.
 *
 * The transport of that package (3.4.0) ignores being closed as long as it is not connected. An attempt
 * that runs into its time limit, because the server is stopped or cut off, then leaves its socket open,
 * and with it a connection that nobody uses once the server goes on.
 */
import { NatsConnectionImpl, setTransportFactory } from "@nats-io/nats-core/internal";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { nodeResolveHost, NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

export function connect(options: NodeConnectionOptions): Promise<NatsConnection> {
  // As that package does: the factory is one for all connections, and is used whenever they reconnect.
  setTransportFactory({ factory: () => new OwnTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}

class OwnTransport extends NodeTransport {
  #isCorked = false;

  /**
   * What is sent in one turn of the event loop leaves in one call to the system, which takes more time
   * than all else that sending a message takes.
   */
  override send(frame: Uint8Array): void {
    if (!this.#isCorked && !this.isClosed) {
      const { socket } = this;
      this.#isCorked = true;
      socket.cork();
      setImmediate(() => {
        this.#isCorked = false;
        socket.uncork();
      });
    }
    super.send(frame);
  }

  override async close(error?: Error): Promise<void> {
    await super.close(error);
    if (this.connected) return;
    // A socket that is opened only later is then destroyed by `connect`.
    this.discard();
  }
}
