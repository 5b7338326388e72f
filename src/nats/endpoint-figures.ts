/**
 * Counts requests, errors and processing time for `nats micro stats`, and adds what the worker announces.
 *
 * The services library measures only its synchronous callback, which ends long before the answer is
 * sent, and it does not see error replies. So we fill in its statistics just before it sends them.
 */
import type { Endpoint, NamedEndpointStats } from "@nats-io/services";
import type { Operation } from "../protocol/operations.ts";
import { parseRequestSubject, type Principal, type RequestAddress } from "../protocol/subjects.ts";

interface Figures {
  requests: number;
  errors: number;
  seconds: number;
  lastError: string | undefined;
}

/** The endpoint whose statistics have the announcement as `data`. */
const ANNOUNCING: Operation = "tasks.stats";

export class EndpointFigures {
  /** By operation, and then by the prefix and whether there is an id. */
  readonly #figures = new Map<Operation, Partial<Record<number, Figures>>>();
  readonly #announce: (() => object) | undefined;

  constructor(announce?: () => object) {
    this.#announce = announce;
  }

  /** `error`: the message of an error reply, `null` for success. */
  count(
    operation: Operation,
    { principal, id }: RequestAddress,
    seconds: number,
    error: string | null,
  ): void {
    let ofOperation = this.#figures.get(operation);
    if (ofOperation === undefined) {
      ofOperation = {};
      this.#figures.set(operation, ofOperation);
    }
    const figures = (ofOperation[placeOf(principal, id)] ??= {
      requests: 0,
      errors: 0,
      seconds: 0,
      lastError: undefined,
    });
    figures.requests++;
    figures.seconds += seconds;
    if (error === null) return;
    figures.errors++;
    figures.lastError = error;
  }

  /** Writes the figures into the library's own statistics of the endpoint. Returns its `data`. */
  fill(endpoint: Endpoint & { stats?: NamedEndpointStats }): object | null {
    const operation = endpoint.metadata?.operation as Operation | undefined;
    const { principal, id } = parseRequestSubject(endpoint.subject);
    const figures =
      operation === undefined ? undefined : this.#figures.get(operation)?.[placeOf(principal, id)];
    const data = endpoint.subject === ANNOUNCING ? (this.#announce?.() ?? null) : null;
    if (endpoint.stats === undefined || figures === undefined) return data;
    const nanoseconds = Math.round(figures.seconds * 1e9);
    endpoint.stats.num_requests = figures.requests;
    endpoint.stats.num_errors = figures.errors;
    endpoint.stats.processing_time = nanoseconds;
    endpoint.stats.average_processing_time = Math.round(nanoseconds / figures.requests);
    if (figures.lastError !== undefined) endpoint.stats.last_error = figures.lastError;
    return data;
  }
}

/** Which endpoint of the operation receives such a request. */
function placeOf(principal: Principal | null, id: string): number {
  const first = principal === null ? 0 : principal.role === "agent" ? 2 : 4;
  return first + (id === "" ? 0 : 1);
}
