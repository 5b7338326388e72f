/** How the endpoints call the service: requests that arrive, valid calls, and their answers. */
import type { Sendable } from "../protocol/encoded-json.ts";
import type { CoordinatorError } from "../protocol/errors.ts";
import type { Operation, OperationId, Reply, Request } from "../protocol/operations.ts";
import type { Principal } from "../protocol/subjects.ts";
import type { TaskRecord } from "../protocol/task-record.ts";

/** A valid request. */
export interface Call<O extends Operation = Operation> {
  readonly operation: O;
  /** The id from the subject. */
  readonly id: OperationId<O>;
  readonly body: Request<O>;
  /** Who sends the request; `null`: the NATS server does not say. */
  readonly principal: Principal | null;
  /** Who is charged for the request: the principal, such as `agent.s1`, or else the client's connection. */
  readonly sender: string;
  readonly place: Place;
  /** The client's connection as the NATS server vouches for it; `null`: it does not, or the request cannot wait. */
  readonly client: string | null;
  /** Whether the client still waits for the answer; `true` if that cannot be found out. Never rejects. `undefined`: no need to ask. */
  readonly isListening?: (() => Promise<boolean>) | undefined;
}

/** What a request is answered with. */
export interface Answer<Body extends object = object> {
  /** `encodeBody` makes the reply of it. */
  readonly body: Body;
  /** What is sent instead if NATS cannot carry the body. The claims of the answer are then taken back. */
  readonly shorter?: Body;
  /** The request waited for a task or for the index, so its duration does not count as that of a claim. */
  readonly hasWaited?: boolean;
  /** Takes back the new claims of the answer. To be called if nobody was there to receive it. */
  readonly undelivered?: () => void;
}

export type AnswerTo<O extends Operation> = Answer<Sendable<Reply<O>, TaskRecord>>;

/** A request that has arrived, and is handled when it is its turn. */
export interface Arrival {
  readonly sender: string;
  /** Of the message, which stays in memory until then. */
  readonly bytes: number;
  /** Handles the request and answers it. Must not reject. */
  serve(place: Place): Promise<void>;
  refuse(error: CoordinatorError): void;
  /** It gets no answer. */
  drop(): void;
}

/** The place of a request among those under way. While it is parked it needs none. */
export interface Place {
  park(): void;
  resume(): void;
}

/** The service as the endpoints see it. */
export interface RequestHandler {
  /** Whether requests of this sender are dropped at the moment. Cheap: it is asked for each request of a flood. */
  isShut(sender: string): boolean;
  /** Calls one of the methods of the arrival, at once or later. Must not throw. */
  arrive(arrival: Arrival): void;
  /** @throws CoordinatorError */
  handle(call: Call): Promise<Answer>;
}
