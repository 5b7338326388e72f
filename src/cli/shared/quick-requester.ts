/**
 * The requests of a command that sends only a few. They go over a plain connection while that works. The NATS
 * library is loaded for what a plain connection cannot do: TLS, several servers, a second try, and a reason.
 */
import type { ConnectOptions, LoginNames } from "../../nats/connection.ts";
import { connectPlainly, type PlainConnection } from "../../nats/plain-connection.ts";
import { RequestFailedError, type Requester, type RequestProblem } from "../../nats/requester.ts";

export interface OpenRequester extends Requester {
  close(): Promise<void>;
}

/**
 * @param names of the options where they are set, for error messages
 * @returns `null` if nobody listens at the only address. The library says why
 * @throws ConnectionError
 */
export async function openRequester(
  options: ConnectOptions,
  names: LoginNames,
): Promise<OpenRequester | null> {
  const plain = await connectPlainly(options);
  if (plain === "unreachable") return null;
  const library = (): Promise<OpenRequester> => openByLibrary(options, names);
  return plain === "unsuitable" ? await library() : new QuickRequester(plain, library);
}

/** @throws ConnectionError */
export async function openByLibrary(
  options: ConnectOptions,
  names: LoginNames,
): Promise<OpenRequester> {
  const [{ connectNats }, { createRequester }] = await Promise.all([
    import("../../nats/connection.ts"),
    import("../../nats/request.ts"),
  ]);
  const connection = await connectNats(options, names);
  return Object.assign(createRequester(connection), { close: () => connection.close() });
}

/** Longer than a worker takes for a request that does not wait. */
const LONG_MS = 10_000;
/** Failures that show that the connection works. */
const ANSWERS: readonly RequestProblem[] = ["no_responders", "not_permitted", "too_large"];

class QuickRequester implements OpenRequester {
  readonly #plain: PlainConnection;
  readonly #openLibrary: () => Promise<OpenRequester>;
  #library: Promise<OpenRequester> | null = null;
  /** Whether the next request can use the plain connection, too. */
  #isSound = true;

  constructor(plain: PlainConnection, openLibrary: () => Promise<OpenRequester>) {
    this.#plain = plain;
    this.#openLibrary = openLibrary;
  }

  get maxPayload(): number {
    return this.#plain.maxPayload;
  }

  async request(...request: Parameters<Requester["request"]>): Promise<string> {
    const [, , timeoutMs] = request;
    // The library pings, so it notices during a long wait that the server is gone.
    if (timeoutMs > LONG_MS || !this.#isSound || !this.#plain.isOpen) {
      return await (await this.#byLibrary()).request(...request);
    }
    try {
      return await this.#plain.request(...request);
    } catch (error) {
      const isAnswered = error instanceof RequestFailedError && ANSWERS.includes(error.problem);
      this.#isSound &&= isAnswered;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#plain.close();
    await (await this.#library)?.close();
  }

  async #byLibrary(): Promise<OpenRequester> {
    try {
      return await (this.#library ??= this.#openLibrary());
    } catch (cause) {
      this.#library = null;
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new RequestFailedError("disconnected", message, { cause });
    }
  }
}
