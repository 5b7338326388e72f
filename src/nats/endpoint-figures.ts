/**
 * Counts of requests, errors and processing time, as `nats micro stats` shows them.
 *
 * The services library times its synchronous callback only, which ends long before the answer goes
 * out, and knows nothing of error replies. Its statistics are filled in here just before they are
 * sent.
 */
import type { Endpoint, NamedEndpointStats } from "@nats-io/services";
import type { Operation } from "../protocol/operations.ts";
import { AGENT_ROOT, parseRequestSubject } from "../protocol/subjects.ts";

interface Figures {
  requests: number;
  errors: number;
  seconds: number;
  lastError: string | undefined;
}

export class EndpointFigures {
  readonly #figures = new Map<string, Figures>();

  /** `error`: the message of an error reply, `null` for success. */
  count(subject: string, operation: Operation, seconds: number, error: string | null): void {
    const key = keyOf(subject, operation);
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

  /** Writes the figures into the library's own statistics of the endpoint. */
  fill(endpoint: Endpoint & { stats?: NamedEndpointStats }): null {
    const operation = endpoint.metadata?.operation as Operation | undefined;
    const figures =
      operation === undefined ? undefined : this.#figures.get(keyOf(endpoint.subject, operation));
    if (endpoint.stats === undefined || figures === undefined) return null;
    const nanoseconds = Math.round(figures.seconds * 1e9);
    endpoint.stats.num_requests = figures.requests;
    endpoint.stats.num_errors = figures.errors;
    endpoint.stats.processing_time = nanoseconds;
    endpoint.stats.average_processing_time = Math.round(nanoseconds / figures.requests);
    if (figures.lastError !== undefined) endpoint.stats.last_error = figures.lastError;
    return null;
  }
}

/** The endpoint that a request came in by: its root and its operation. */
function keyOf(subject: string, operation: Operation): string {
  const root = subject.startsWith(`${AGENT_ROOT}.`) ? AGENT_ROOT : "";
  const { id } = parseRequestSubject(subject);
  const bare = id === "" ? "bare" : "with id";
  return `${root} ${operation} ${bare}`;
}
