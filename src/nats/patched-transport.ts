/**
 * Replaces `connect` of `@nats-io/transport-node`, and corrects five faults of its transport (3.4.0):
 *
 * - `close` has no effect before the transport is connected. So an attempt that times out leaves its
 *   socket open. If the server then resumes, it holds a connection that nobody uses.
 * - If the URL of a server has an IP address, its certificate is checked for the name `localhost`.
 * - A server that closes the connection because of a certificate looks like one that does not answer.
 * - Each message is written to the socket by a system call of its own.
 * - A server that no longer answers is left only when everything sent has gone out, which may be never.
 */
import {
  type ServerInfo,
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/nats-core/internal";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { nodeResolveHost, NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** TLS is required, but the server offers none. The client has sent nothing. */
export class NoTlsError extends Error {
  override readonly name = "NoTlsError";

  constructor() {
    super("TLS is required, and the server has none");
  }
}

/** The server requires a client certificate, and there is none. The client has sent nothing. */
export class ClientCertificateMissingError extends Error {
  override readonly name = "ClientCertificateMissingError";

  constructor() {
    super("the server requires a client certificate");
  }
}

/** The server rejected the client certificate: it closed the connection after the handshake. */
export class ClientCertificateRefusedError extends Error {
  override readonly name = "ClientCertificateRefusedError";

  constructor(options: ErrorOptions) {
    super("the server does not accept the client certificate", options);
  }
}

export interface TransportOptions extends NodeConnectionOptions {
  /** Called when a socket fails after the server has sent its INFO. */
  readonly socketFailed?: (error: Error) => void;
}

export function connect(options: TransportOptions): Promise<NatsConnection> {
  // The library has one factory for all connections, and uses it for each reconnect too.
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

  /** Reads the server's INFO. The client sends nothing before this resolves. */
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
    // Node verifies the certificate for `host` if there is no server name, as for an IP address.
    const tls = { ...this.options.tls, host: this.#hostname };
    this.options = { ...this.options, tls };
    return super.startTLS();
  }

  override setupHandlers(): void {
    super.setupHandlers();
    const { socketFailed } = this.options as TransportOptions;
    if (socketFailed === undefined) return;
    this.socket.on("error", (cause) => {
      // With TLS 1.3, the server checks the client certificate after the client has finished the
      // handshake. It then closes the connection at once, so its alert may be lost.
      socketFailed(this.#isVerified ? new ClientCertificateRefusedError({ cause }) : cause);
    });
  }

  /**
   * Collects all messages of one turn of the event loop for one system call. The call costs more than
   * everything else that sending a message takes.
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

  /** Leaves a server that no longer answers. The end of the socket then ends the transport. */
  override disconnect(): void {
    if (!this.isClosed) this.socket.destroy();
  }

  override async close(error?: Error): Promise<void> {
    await super.close(error);
    if (this.connected) return;
    // If the socket opens only later, `connect` then destroys it.
    this.discard();
  }
}
