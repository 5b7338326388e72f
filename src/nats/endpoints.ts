/** Registers every operation with the NATS service protocol (ADR-32), under each prefix of the subjects. */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { type Service, Svcm } from "@nats-io/services";
import {
  type Operation,
  OPERATION_IDS,
  OPERATION_NAMES,
  OPERATIONS,
  PROTOCOL_VERSION,
  schemasOf,
} from "../protocol/operations.ts";
import { QUEUE_GROUP, SUBJECT_PREFIXES } from "../protocol/subjects.ts";
import type { Observe, RequestHandler } from "../service/ports.ts";
import { EndpointFigures } from "./endpoint-figures.ts";
import { MessageTraces } from "./message-traces.ts";
import { IncomingRequests } from "./incoming-requests.ts";
import { UnknownOperations } from "./unknown-operations.ts";

export interface EndpointsOptions {
  readonly workerId: string;
  /** The version of the package. The protocol has a version of its own. */
  readonly version: string;
  /** What the worker says about itself in its statistics, asked each time. Default: nothing. */
  readonly announce?: () => object;
}

export class Endpoints {
  /** Resolves when the endpoints have ended, also if nobody stopped them. */
  readonly ended: Promise<Error>;
  readonly #connection: NatsConnection;
  readonly #service: Service;
  readonly #traces: MessageTraces;
  readonly #requests: IncomingRequests;
  readonly #unknown: UnknownOperations;
  /** Subjects with a missing or superfluous id. Such a request gets an error instead of a timeout. */
  readonly #mistaken: Subscription[];

  private constructor(
    connection: NatsConnection,
    handler: RequestHandler,
    observe: Observe,
    service: Service,
    figures: EndpointFigures,
  ) {
    this.#connection = connection;
    this.#service = service;
    this.#traces = new MessageTraces(connection);
    this.#requests = new IncomingRequests(connection, handler, observe, figures, this.#traces);
    this.#mistaken = OPERATION_NAMES.flatMap((operation) => this.#register(operation));
    this.#unknown = new UnknownOperations(connection, this.#traces, (replyTo, error) => {
      this.#requests.complain(replyTo, error);
    });
    this.ended = service.stopped.then((error) => error ?? new Error("the NATS service ended"));
  }

  static async start(
    connection: NatsConnection,
    handler: RequestHandler,
    observe: Observe,
    options: EndpointsOptions,
  ): Promise<Endpoints> {
    const figures = new EndpointFigures(options.announce);
    const service = await new Svcm(connection).add({
      name: QUEUE_GROUP,
      version: PROTOCOL_VERSION,
      description: "Task coordination: atomic claims, leases, and every change as it happens",
      queue: QUEUE_GROUP,
      metadata: { worker_id: options.workerId, package_version: options.version },
      statsHandler: (endpoint) => Promise.resolve(figures.fill(endpoint)),
    });
    const endpoints = new Endpoints(connection, handler, observe, service, figures);
    // Once the server has the subscriptions, every request is answered.
    await flush(connection);
    return endpoints;
  }

  /** Accepts no further requests, and answers those under way. */
  async stop(): Promise<void> {
    this.#unknown.stop();
    const drains = [this.#service.stop(), ...this.#mistaken.map((sub) => sub.drain())];
    // If the connection closes during a drain, the drain never ends.
    await Promise.race([Promise.allSettled(drains), this.#connection.closed()]);
    await this.#requests.allAnswered();
    this.#traces.stop();
    await this.#requests.stop();
  }

  /** Returns the subscriptions that do not belong to the service protocol. */
  #register(operation: Operation): Subscription[] {
    const name = operation.replace(".", "-");
    const id = OPERATION_IDS[operation];
    const { summary } = OPERATIONS[operation];
    const callback = (error: Error | null, msg: Msg): void => {
      if (error === null) this.#requests.receive(operation, msg);
    };
    const metadata = { operation, summary };
    const { request, reply } = schemasOf(operation);
    const schemas = {
      request_schema: JSON.stringify(request),
      response_schema: JSON.stringify(reply),
    };
    for (const prefix of SUBJECT_PREFIXES) {
      const role = prefix.slice(0, prefix.indexOf("."));
      const add = (endpoint: string, subject: string, more: Record<string, string>): void => {
        this.#service.addEndpoint(role === "" ? endpoint : `${role}-${endpoint}`, {
          subject: prefix + subject,
          handler: callback,
          metadata: { ...metadata, ...more },
        });
      };
      // The schemas are the same for all prefixes, so only one publishes them.
      add(name, id === "none" ? operation : `${operation}.>`, role === "" ? schemas : {});
      if (id === "optional") add(`${name}-any`, operation, {});
    }
    if (id === "optional") return [];
    const mistaken = id === "none" ? `${operation}.>` : operation;
    return SUBJECT_PREFIXES.map((prefix) =>
      this.#connection.subscribe(prefix + mistaken, { queue: QUEUE_GROUP, callback }),
    );
  }
}

/** Retries while the connection is broken: it subscribes again when it is back. */
async function flush(connection: NatsConnection): Promise<void> {
  for (;;) {
    try {
      await connection.flush();
      return;
    } catch (error) {
      if (connection.isClosed()) throw error;
    }
  }
}
