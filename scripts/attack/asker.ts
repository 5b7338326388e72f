/** Single requests without retries, each with its outcome and the time that it took. */
import type { Connection } from "../../src/nats/connection.ts";
import { connectNats } from "../../src/nats/connection.ts";

/** How a client of the run logs in. */
export interface Login {
  readonly url: string;
  /** `null`: the server asks for none. */
  readonly credsFile: string | null;
}

export interface Asked {
  /** `ok`, the code of an error, or `no answer`. */
  readonly outcome: string;
  readonly ms: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An agent stops waiting after this time, and asks again. */
const TIMEOUT_MS = 5_000;

export class Asker implements AsyncDisposable {
  readonly connection: Connection;

  private constructor(connection: Connection) {
    this.connection = connection;
  }

  static async open({ url, credsFile }: Login, name: string): Promise<Asker> {
    const connection = await connectNats({
      servers: [url],
      name,
      reconnectTimeWait: 0.1,
      ...(credsFile === null ? {} : { credsFile }),
    });
    return new Asker(connection);
  }

  async ask(subject: string, body: object = {}, timeoutMs = TIMEOUT_MS): Promise<Asked> {
    const began = performance.now();
    const over = (outcome: string, answer: Asked["body"] = {}): Asked => {
      return { outcome, ms: performance.now() - began, body: answer };
    };
    try {
      const text = JSON.stringify(body);
      const reply = await this.connection.request(subject, text, { timeout: timeoutMs });
      const answer = reply.json<Readonly<Record<string, unknown>>>();
      return over(outcomeOf(answer), answer);
    } catch {
      return over("no answer");
    }
  }

  /** @throws Error if the request is refused */
  async must(subject: string, body: object = {}): Promise<Asked["body"]> {
    const { outcome, body: answer } = await this.ask(subject, body, 30_000);
    if (outcome === "ok") return answer;
    throw new Error(`${subject}: ${outcome} ${JSON.stringify(answer).slice(0, 500)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}

export function outcomeOf(answer: Asked["body"]): string {
  if (answer.ok === true) return "ok";
  const { error } = answer as { readonly error?: { readonly code?: string } };
  return error?.code ?? "no answer";
}
