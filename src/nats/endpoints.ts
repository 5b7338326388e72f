/**
 * Registers every operation with the NATS service protocol (ADR-32), under each prefix of the subjects, and turns
 * messages into calls and answers.
 *
 * Rules for every message:
 *
 * - A request without a reply subject is dropped. Any other request gets exactly one reply, and the reply
 *   is never empty.
 * - Headers are not read, because reading a malformed header throws. No decision depends on them.
 * - No error leaves a callback, because it would end the connection's reader.
 */
import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { type Service, Svcm } from "@nats-io/services";
import { encodeBody } from "../protocol/encoded-json.ts";
import { CoordinatorError, ERRORS } from "../protocol/errors.ts";
import {
  type Operation,
  OPERATION_IDS,
  OPERATION_NAMES,
  OPERATIONS,
  PROTOCOL_VERSION,
  schemasOf,
} from "../protocol/operations.ts";
import { parseId } from "../protocol/parse-id.ts";
import { decodeBody, parseBody } from "../protocol/parse-request.ts";
import {
  parseRequestSubject,
  QUEUE_GROUP,
  SUBJECT_PREFIXES,
  TASK_UPDATES,
} from "../protocol/subjects.ts";
import type { Answer, Call, Observe, RequestHandler } from "../service/ports.ts";
import { AnswerDelivery } from "./answer-delivery.ts";
import { errorPayload, toCoordinatorError, tooLargeReply } from "./error-replies.ts";
import { EndpointFigures } from "./endpoint-figures.ts";
import { MessageTraces } from "./message-traces.ts";
import { namesIn } from "./names-in-request.ts";
import { OutgoingHeaders } from "./outgoing-headers.ts";
import { senderOf } from "./sender.ts";
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
  readonly #handler: RequestHandler;
  readonly #observe: Observe;
  readonly #service: Service;
  readonly #figures: EndpointFigures;
  readonly #delivery: AnswerDelivery;
  readonly #traces: MessageTraces;
  readonly #unknown: UnknownOperations;
  /** Subjects with a missing or superfluous id. Such a request gets an error instead of a timeout. */
  readonly #mistaken: Subscription[];
  /** How many requests are being answered. */
  #answering = 0;
  #allAnswered: (() => void) | null = null;

  private constructor(
    connection: NatsConnection,
    handler: RequestHandler,
    observe: Observe,
    service: Service,
    figures: EndpointFigures,
  ) {
    this.#connection = connection;
    this.#handler = handler;
    this.#observe = observe;
    this.#service = service;
    this.#figures = figures;
    this.#delivery = new AnswerDelivery(connection);
    this.#traces = new MessageTraces(connection);
    this.#mistaken = OPERATION_NAMES.flatMap((operation) => this.#register(operation));
    this.#unknown = new UnknownOperations(connection, this.#traces, (replyTo, error) => {
      if (isForAnswers(replyTo)) this.#sendError(replyTo, error);
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
    await new Promise<void>((resolve) => {
      this.#allAnswered = resolve;
      if (this.#answering === 0) resolve();
    });
    this.#traces.stop();
    await this.#delivery.stop();
  }

  /** Returns the subscriptions that do not belong to the service protocol. */
  #register(operation: Operation): Subscription[] {
    const name = operation.replace(".", "-");
    const id = OPERATION_IDS[operation];
    const { summary } = OPERATIONS[operation];
    const callback = (error: Error | null, msg: Msg): void => {
      if (error === null) this.#receive(operation, msg);
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

  /** Must not throw. */
  #receive(operation: Operation, msg: Msg): void {
    try {
      if (msg.reply === undefined || msg.reply === "" || !isForAnswers(msg.reply)) {
        this.#observe({ kind: "request_dropped", reason: "no_reply_subject" });
        return;
      }
      void this.#answer(operation, msg, msg.reply);
    } catch {
      this.#observe({ kind: "request_dropped", reason: "malformed" });
    }
  }

  /** Must not reject. */
  async #answer(operation: Operation, msg: Msg, replyTo: string): Promise<void> {
    this.#answering++;
    const startedAt = performance.now();
    const address = parseRequestSubject(msg.subject);
    const { principal, id } = address;
    let outcome: "ok" | CoordinatorError = "ok";
    let leave: (() => void) | null = null;
    let claimedAtOnce = false;
    let call: Call | null = null;
    try {
      const admitted = this.#handler.admit(principal);
      if (admitted instanceof CoordinatorError) throw admitted;
      leave = admitted;
      call = {
        operation,
        id: parseId(operation, id),
        body: parseBody(operation, decodeBody(msg.data)),
        principal,
        sender: senderOf(principal, replyTo),
        // Only a request for the next tasks may wait so long that its client can be gone.
        ...((operation === "tasks.next" || operation === "tasks.release") && {
          isListening: () => this.#traces.isListening(replyTo),
        }),
      };
      const answer = await this.#handler.handle(call);
      claimedAtOnce =
        operation === "tasks.claim" ||
        (answer.undelivered !== undefined && answer.hasWaited !== true);
      this.#send(operation, replyTo, answer);
    } catch (error) {
      outcome = toCoordinatorError(error);
      this.#sendError(replyTo, outcome);
    } finally {
      leave?.();
      if (--this.#answering === 0) this.#allAnswered?.();
    }
    const seconds = (performance.now() - startedAt) / 1000;
    this.#figures.count(operation, address, seconds, outcome === "ok" ? null : outcome.message);
    this.#observe({
      kind: "request",
      operation,
      outcome: outcome === "ok" ? "ok" : outcome.code,
      seconds,
      claimedAtOnce,
      ...namesIn(principal, call),
      ...(outcome === "ok" ? {} : { cause: outcome.cause }),
    });
  }

  #send(operation: Operation, replyTo: string, { body, shorter, undelivered }: Answer): void {
    try {
      const payload = encodeBody(body);
      const limit = this.#maxPayload();
      if (payload.length > limit) throw tooLargeReply(limit);
      if (undelivered === undefined) this.#connection.publish(replyTo, payload);
      else {
        this.#delivery.send(replyTo, payload, () => {
          this.#observe({ kind: "answer_undelivered", operation });
          undelivered();
        });
      }
    } catch (error) {
      // Nobody receives the claims of this answer.
      undelivered?.();
      if (shorter === undefined) throw error;
      this.#send(operation, replyTo, { body: shorter });
    }
  }

  #maxPayload(): number {
    return this.#connection.info?.max_payload ?? Infinity;
  }

  #sendError(replyTo: string, error: CoordinatorError): void {
    try {
      const headers = new OutgoingHeaders();
      headers.add("Nats-Service-Error-Code", ERRORS[error.code].status);
      headers.add("Nats-Service-Error", error.code);
      const payload = errorPayload(error, this.#maxPayload());
      this.#connection.publish(replyTo, payload, { headers });
    } catch (cause) {
      // It cannot be sent: the reply subject is invalid, or the connection is closed.
      this.#observe({ kind: "background_error", what: "error reply", cause });
    }
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

/**
 * Refuses reply subjects of NATS itself and of the published updates. Otherwise a client could make the
 * worker write there, with the worker's permissions.
 */
function isForAnswers(reply: string): boolean {
  return !reply.startsWith("$") && !reply.startsWith(`${TASK_UPDATES}.`);
}
