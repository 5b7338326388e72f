/** Fakes for the tests of the library: a coordinator, a network that loses answers, and a log. */
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

/** A fake coordinator. It collects the requests and replies with the result of `answer`, if there is one. */
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

/** A refusal in the form in which a coordinator sends it. */
export function refusal(code: string, retryable: boolean): object {
  return { ok: false, error: { code, message: `refused as ${code}`, retryable } };
}

/** The error of a request that must be refused. */
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

/** Carries out each request, and loses the answers to the first ones. */
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

/** A log that keeps its lines, so that a test can wait for one. */
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

  /** Resolves when there is a line that matches, from the line with this number on. */
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
