/**
 * Turns messages into calls, and answers into messages.
 *
 * Rules for every message:
 *
 * - A request without a reply subject is dropped. Any other request gets exactly one reply, and the reply
 *   is never empty. Only a client that continues to send after many refusals gets none.
 * - Headers are not read, because reading a malformed header throws. The only exception is `request-client.ts`.
 * - No error leaves a callback, because it would end the connection's reader.
 */
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { AUDIT_ROOT } from "../protocol/audit-message.ts";
import { encodeBody } from "../protocol/encoded-json.ts";
import { CoordinatorError, ERRORS } from "../protocol/errors.ts";
import type { Operation } from "../protocol/operations.ts";
import { parseId } from "../protocol/parse-id.ts";
import { decodeBody, parseBody } from "../protocol/parse-request.ts";
import { parseRequestSubject, type RequestAddress, TASK_UPDATES } from "../protocol/subjects.ts";
import type {
  Answer,
  Arrival,
  Call,
  Fact,
  Observe,
  Place,
  RequestHandler,
} from "../service/ports.ts";
import { AnswerDelivery } from "./answer-delivery.ts";
import { errorPayload, toCoordinatorError, tooLargeReply } from "./error-replies.ts";
import type { EndpointFigures } from "./endpoint-figures.ts";
import type { MessageTraces } from "./message-traces.ts";
import { namesIn } from "./names-in-request.ts";
import { OutgoingHeaders } from "./outgoing-headers.ts";
import { clientOf } from "./request-client.ts";
import { senderOf } from "./sender.ts";

type DropReason = Extract<Fact, { kind: "request_dropped" }>["reason"];

const REPORT_DROPS_MS = 50;
/** Only a request for the next tasks may wait so long that its client can be gone. */
const MAY_WAIT: ReadonlySet<Operation> = new Set(["tasks.next", "tasks.release"]);

export class IncomingRequests {
  readonly #connection: NatsConnection;
  readonly #handler: RequestHandler;
  readonly #observe: Observe;
  readonly #figures: EndpointFigures;
  readonly #traces: MessageTraces;
  readonly #delivery: AnswerDelivery;
  /** How many requests are not answered yet. */
  #open = 0;
  #allAnswered: (() => void) | null = null;
  /** Dropped and not reported yet. */
  readonly #drops = new Map<DropReason, number>();

  constructor(
    connection: NatsConnection,
    handler: RequestHandler,
    observe: Observe,
    figures: EndpointFigures,
    traces: MessageTraces,
  ) {
    this.#connection = connection;
    this.#handler = handler;
    this.#observe = observe;
    this.#figures = figures;
    this.#traces = traces;
    this.#delivery = new AnswerDelivery(connection);
  }

  /** Must not throw. */
  receive(operation: Operation, msg: Msg): void {
    try {
      const { reply = "" } = msg;
      if (!isForAnswers(reply)) {
        this.#dropped("no_reply_subject");
        return;
      }
      const address = parseRequestSubject(msg.subject);
      const sender = senderOf(address.principal, reply);
      if (this.#handler.isShut(sender)) {
        this.#dropped("too_many");
        return;
      }
      const request = new Incoming(this, operation, msg, { address, sender, replyTo: reply });
      this.#open++;
      this.#handler.arrive(request);
    } catch {
      this.#dropped("malformed");
    }
  }

  /** Must not reject. */
  async answer(request: Incoming, place: Place): Promise<void> {
    const { operation, address, replyTo } = request;
    let outcome: "ok" | CoordinatorError = "ok";
    let claimedAtOnce = false;
    let call: Call | null = null;
    try {
      call = {
        operation,
        id: parseId(operation, address.id),
        body: request.takeBody(),
        principal: address.principal,
        sender: request.sender,
        place,
        client: request.client,
        isListening: MAY_WAIT.has(operation) ? () => this.#traces.isListening(replyTo) : undefined,
      };
      const answer = await this.#handler.handle(call);
      claimedAtOnce =
        operation === "tasks.claim" ||
        (answer.undelivered !== undefined && answer.hasWaited !== true);
      this.#send(operation, replyTo, answer);
    } catch (error) {
      outcome = toCoordinatorError(error);
      this.#sendError(replyTo, outcome);
    }
    this.#ended(request, call, outcome, claimedAtOnce);
  }

  refuse(request: Incoming, error: CoordinatorError): void {
    this.#sendError(request.replyTo, error);
    this.#ended(request, null, error, false);
  }

  drop(): void {
    this.#close();
    this.#dropped("too_many");
  }

  /** Reports what was dropped, soon. In a flood, a report of each message would take most of the time. */
  #dropped(reason: DropReason): void {
    const before = this.#drops.get(reason) ?? 0;
    this.#drops.set(reason, before + 1);
    if (before > 0) return;
    setTimeout(() => {
      this.#observe({ kind: "request_dropped", reason, times: this.#drops.get(reason) ?? 0 });
      this.#drops.delete(reason);
    }, REPORT_DROPS_MS);
  }

  /** An error reply to a message that is no request. */
  complain(replyTo: string, error: CoordinatorError): void {
    if (isForAnswers(replyTo)) this.#sendError(replyTo, error);
  }

  /** Resolves when no request is under way. */
  allAnswered(): Promise<void> {
    return new Promise((resolve) => {
      this.#allAnswered = resolve;
      if (this.#open === 0) resolve();
    });
  }

  async stop(): Promise<void> {
    await this.#delivery.stop();
  }

  #ended(
    request: Incoming,
    call: Call | null,
    outcome: "ok" | CoordinatorError,
    claimedAtOnce: boolean,
  ): void {
    this.#close();
    const { operation, address, startedAt } = request;
    const seconds = (performance.now() - startedAt) / 1000;
    this.#figures.count(operation, address, seconds, outcome === "ok" ? null : outcome.message);
    const { principal, id, sessionId, attempt } = namesIn(address.principal, call);
    // Without spreads, each of which would take as long as all the rest.
    this.#observe({
      kind: "request",
      operation,
      outcome: outcome === "ok" ? "ok" : outcome.code,
      seconds,
      claimedAtOnce,
      principal,
      id,
      sessionId,
      attempt,
      cause: outcome === "ok" ? undefined : outcome.cause,
    });
  }

  #close(): void {
    if (--this.#open === 0) this.#allAnswered?.();
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

const NO_DATA = new Uint8Array();

/** A request from its arrival to its answer. */
class Incoming implements Arrival {
  readonly operation: Operation;
  readonly address: RequestAddress;
  readonly sender: string;
  readonly replyTo: string;
  readonly startedAt = performance.now();
  readonly bytes: number;
  readonly #requests: IncomingRequests;
  /** The connection on which it came; `null`: it is not known, or the request cannot wait. See `takeBody`. */
  client: string | null = null;
  #msg: Msg | null;

  constructor(
    requests: IncomingRequests,
    operation: Operation,
    msg: Msg,
    { address, sender, replyTo }: Pick<Incoming, "address" | "sender" | "replyTo">,
  ) {
    this.#requests = requests;
    this.#msg = msg;
    this.bytes = msg.data.length;
    this.operation = operation;
    this.address = address;
    this.sender = sender;
    this.replyTo = replyTo;
  }

  /**
   * To be called once: from then on the message is no longer in memory. A body can have a megabyte of spaces,
   * and thousands of requests can be parked. Then `client` is known, too.
   *
   * @throws CoordinatorError
   */
  takeBody(): Call["body"] {
    const msg = this.#msg;
    this.#msg = null;
    if (msg !== null && MAY_WAIT.has(this.operation)) this.client = clientOf(msg);
    return parseBody(this.operation, decodeBody(msg?.data ?? NO_DATA));
  }

  serve(place: Place): Promise<void> {
    return this.#requests.answer(this, place);
  }

  refuse(error: CoordinatorError): void {
    this.#requests.refuse(this, error);
  }

  drop(): void {
    this.#requests.drop();
  }
}

const NOT_FOR_ANSWERS = ["$", `${TASK_UPDATES}.`, `${AUDIT_ROOT}.`] as const;

/**
 * Refuses reply subjects of NATS itself, of the published updates and of the audit. Otherwise a client could make the
 * worker write there, with the worker's permissions.
 */
function isForAnswers(reply: string): boolean {
  return reply !== "" && !NOT_FOR_ANSWERS.some((start) => reply.startsWith(start));
}
