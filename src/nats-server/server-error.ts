/** The server could not be started. The message says why and what helps. */
export class NatsServerError extends Error {
  override readonly name = "NatsServerError";
}

/** The port is in use, by a NATS server or by another program. */
export class PortTakenError extends NatsServerError {}
