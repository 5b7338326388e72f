/**
 * Connects as `connect` of `@nats-io/transport-node` does, but for what the transport of that package
 * (3.4.0) gets wrong:
 *
 * - It ignores being closed as long as it is not connected. An attempt that runs into its time limit,
 *   because the server is stopped or cut off, then leaves its socket open, and with it a connection that
 *   nobody uses once the server goes on.
 * - It checks the certificate of a server that is named by its IP address for the name `localhost`.
 * - A server that ends the connection over a certificate looks like one that says nothing.
 */
import {
  type ServerInfo,
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/nats-core/internal";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { nodeResolveHost, NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** TLS is required, and the server has none. Nothing was sent to it. */
export class NoTlsError extends Error {
  override readonly name = "NoTlsError";

  constructor() {
    super("TLS is required, and the server has none");
  }
}

/** The server asks for a certificate of the client. Nothing was sent to it. */
export class ClientCertificateMissingError extends Error {
  override readonly name = "ClientCertificateMissingError";

  constructor() {
    super("the server requires a client certificate");
  }
}

/** The server verifies the client's certificate, and has ended the connection after the handshake. */
export class ClientCertificateRefusedError extends Error {
  override readonly name = "ClientCertificateRefusedError";

  constructor(options: ErrorOptions) {
    super("the server does not accept the client certificate", options);
  }
}

export interface TransportOptions extends NodeConnectionOptions {
  /** Is told how a socket failed on which the server had greeted. */
  readonly socketFailed?: (error: Error) => void;
}

export function connect(options: TransportOptions): Promise<NatsConnection> {
  // As that package does: the factory is one for all connections, and is used whenever they reconnect.
  setTransportFactory({ factory: () => new PatchedTransport(), dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}

class PatchedTransport extends NodeTransport {
  #isCorked = false;
  #hostname = "";
  #isVerified = false;

  override connect(...[server, options]: Parameters<NodeTransport["connect"]>): Promise<void> {
    this.#hostname = server.hostname;
    return super.connect(server, options);
  }

  /** What the server says of itself, before anything is sent to it. */
  override async peekInfo(): Promise<ServerInfo> {
    const info = await super.peekInfo();
    const tls = this.options.tls ?? undefined;
    if (info.tls_required === true || info.tls_available === true) {
      this.#isVerified = info.tls_verify === true;
      const hasCertificate = tls?.certFile !== undefined;
      if (this.#isVerified && !hasCertificate) throw new ClientCertificateMissingError();
    } else if (tls !== undefined) throw new NoTlsError();
    return info;
  }

  override startTLS(): ReturnType<NodeTransport["startTLS"]> {
    // Without a name of the server for TLS, Node checks the certificate for the `host` of these options.
    const tls = { ...this.options.tls, host: this.#hostname };
    this.options = { ...this.options, tls };
    return super.startTLS();
  }

  override setupHandlers(): void {
    super.setupHandlers();
    const { socketFailed } = this.options as TransportOptions;
    if (socketFailed === undefined) return;
    this.socket.on("error", (cause) => {
      // With TLS 1.3 the server judges the certificate when the client's handshake is over. Its alert
      // may get lost, as it closes the connection at once.
      socketFailed(this.#isVerified ? new ClientCertificateRefusedError({ cause }) : cause);
    });
  }

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
