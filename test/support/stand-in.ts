/** What the library's tests put in place of a coordinator, of a network that keeps its word, and of a log. */
import assert from "node:assert/strict";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Logger } from "../../src/client/logger.ts";
import { TaskError } from "../../src/client/task-error.ts";
import { RequestFailedError, type Requester } from "../../src/nats/request.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";

export interface Received {
  readonly subject: string;
  readonly body: Record<string, unknown>;
}

/** Stands in for a coordinator: collects the requests and sends what `answer` returns, if anything. */
export async function respond(
  connection: NatsConnection,
  answer: (received: Received, count: number) => object | string | null,
): Promise<Received[]> {
  const requests: Received[] = [];
  for (const subject of ["tasks.>", "sessions.>"]) {
    connection.subscribe(subject, {
      callback: (_, message) => {
        const received = { subject: message.subject, body: message.json<Received["body"]>() };
        const reply = answer(received, requests.push(received));
        if (reply === null) return;
        message.respond(typeof reply === "string" ? reply : JSON.stringify(reply));
      },
    });
  }
  await connection.flush();
  return requests;
}

/** A refusal as a coordinator sends it. */
export function refusal(code: string, retryable: boolean): object {
  return { ok: false, error: { code, message: `refused as ${code}`, retryable } };
}

/** The error with which the request has to be refused. */
export async function errorOf(request: Promise<unknown>, code: ErrorCode): Promise<TaskError> {
  try {
    await request;
  } catch (error) {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.code, code, error.message);
    return error;
  }
  throw new assert.AssertionError({ message: `the request should be refused as ${code}` });
}

/** Has each request carried out, and loses the answers of the first ones. */
export function losingAnswers(requester: Requester, count: number): Requester {
  let left = count;
  return {
    maxPayload: requester.maxPayload,
    request: async (subject, text, timeoutMs, signal) => {
      const answer = await requester.request(subject, text, timeoutMs, signal);
      if (left-- <= 0) return answer;
      throw new RequestFailedError("timeout", `no answer from ${subject}`);
    },
  };
}

/** A log that keeps its lines and tells when one comes. */
export class NotedLog implements Logger {
  readonly lines: { readonly level: keyof Logger; readonly message: string }[] = [];
  readonly #listeners = new Set<() => void>();

  debug(message: string): void {
    this.#note("debug", message);
  }

  warn(message: string): void {
    this.#note("warn", message);
  }

  error(message: string): void {
    this.#note("error", message);
  }

  of(level: keyof Logger): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  /** Resolves when there is such a line, from the one with this number on. */
  async noted(level: keyof Logger, pattern: RegExp, since = 0): Promise<string> {
    for (;;) {
      const line = this.lines
        .slice(since)
        .find((noted) => noted.level === level && pattern.test(noted.message));
      if (line !== undefined) return line.message;
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  #note(level: keyof Logger, message: string): void {
    this.lines.push({ level, message });
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}
