/**
 * Counts requests, errors and processing time for `nats micro stats`, and adds what the worker announces.
 *
 * The services library measures only its synchronous callback, which ends long before the answer is
 * sent, and it does not see error replies. So we fill in its statistics just before it sends them.
 */
import type { Endpoint, NamedEndpointStats } from "@nats-io/services";
import type { Operation } from "../protocol/operations.ts";
import { AGENT_ROOT, parseRequestSubject, type RequestAddress } from "../protocol/subjects.ts";

interface Figures {
  requests: number;
  errors: number;
  seconds: number;
  lastError: string | undefined;
}

/** The endpoint whose statistics have the announcement as `data`. */
const ANNOUNCING: Operation = "tasks.stats";

export class EndpointFigures {
  readonly #figures = new Map<string, Figures>();
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
    const key = keyOf(operation, principal, id);
    let figures = this.#figures.get(key);
    if (figures === undefined) {
      figures = { requests: 0, errors: 0, seconds: 0, lastError: undefined };
      this.#figures.set(key, figures);
    }
    figures.requests++;
    figures.seconds += seconds;
    if (error === null) return;
    figures.errors++;
    figures.lastError = error;
  }

  /** Writes the figures into the library's own statistics of the endpoint. Returns its `data`. */
  fill(endpoint: Endpoint & { stats?: NamedEndpointStats }): object | null {
    const operation = endpoint.metadata?.operation as Operation | undefined;
    const figures =
      operation === undefined ? undefined : this.#figures.get(endpointKey(endpoint, operation));
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

/** The endpoint that received a request: its root and its operation. */
function keyOf(operation: Operation, principal: string | null, id: string): string {
  return `${operation} ${principal === null ? "" : AGENT_ROOT} ${id === "" ? "bare" : "with id"}`;
}

function endpointKey({ subject }: Endpoint, operation: Operation): string {
  const { principal, id } = parseRequestSubject(subject);
  return keyOf(operation, principal, id);
}
