/** How long and how often the client sends a request, and when it does not retry. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { TaskClient } from "../../src/client/task-client.ts";
import { createRequester } from "../../src/nats/request.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf, NotedLog, type Received, refusal, respond } from "../support/stand-in.ts";

/** A client, and a connection that answers it, on their own server. */
class Bench implements AsyncDisposable {
  readonly log = new NotedLog();
  readonly #server: TestServer;
  readonly #client: NatsConnection;
  readonly #responder: NatsConnection;

  private constructor(server: TestServer, client: NatsConnection, responder: NatsConnection) {
    this.#server = server;
    this.#client = client;
    this.#responder = responder;
  }

  static async start(): Promise<Bench> {
    const server = await TestServer.start();
    return new Bench(server, await server.connect(), await server.connect());
  }

  client(options: { timeoutMs?: number; deadlineMs?: number } = {}): TaskClient {
    return new TaskClient(createRequester(this.#client), { ...options, logger: this.log });
  }

  /** The n-th request gets the n-th answer, and all further ones get the last. `null`: no answer. */
  respond(...answers: (object | null)[]): Promise<Received[]> {
    const last = answers.length - 1;
    return respond(this.#responder, (_, count) => answers[Math.min(count - 1, last)] ?? null);
  }

  /** Answers each request after some time. */
  async respondLate(answer: object, delayMs: number): Promise<void> {
    this.#responder.subscribe("tasks.>", {
      callback: (_, message) => {
        setTimeout(() => message.respond(JSON.stringify(answer)), delayMs);
      },
    });
    await this.#responder.flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server[Symbol.asyncDispose]();
  }
}

const OK = { ok: true };
const RETRYABLE = ["overloaded", "conflict", "unavailable"] as const;

describe("while no coordinator runs, a call", () => {
  it("warns once, retries, and says at its deadline what to start", async () => {
    await using bench = await Bench.start();
    const since = performance.now();
    const { message } = await errorOf(bench.client().stats({ deadlineMs: 400 }), "unavailable");
    assert.match(message, /nobody answers .*no coordinator is running .*if-coordinator serve/);
    assert.ok(performance.now() - since > 380);
    const asked = bench.log.of("debug").filter((line) => line === "tasks.stats {}");
    assert.ok(asked.length > 2, `asked ${asked.length} times`);
    assert.deepEqual(bench.log.of("warn"), [`${message}; retrying`]);
  });

  it("gives up after three seconds, unless it was given a deadline", async () => {
    await using bench = await Bench.start();
    const clock = performance.now.bind(performance);
    let skippedMs = 0;
    const watch = mock.method(performance, "now", () => clock() + skippedMs);
    try {
      const client = bench.client();
      const patient = client.stats({ deadlineMs: 15_000 });
      const impatient = client.get("a");
      await bench.log.noted("debug", /^tasks\.get\.a: nobody/);
      skippedMs = 2_500;
      // It may send one more request before it gives up.
      const since = bench.log.lines.length;
      await bench.log.noted("debug", /^tasks\.get\.a: nobody/, since);
      await bench.log.noted("debug", /^tasks\.get\.a \{\}/, bench.log.lines.length);
      skippedMs = 3_000;
      await errorOf(impatient, "unavailable");
      // The other call still retries.
      await bench.log.noted("debug", /^tasks\.stats: nobody/, bench.log.lines.length);
      await bench.respond(OK);
      assert.deepEqual(await patient, OK);
    } finally {
      watch.mock.restore();
    }
  });

  it("succeeds when a coordinator starts meanwhile, and has warned at once", async () => {
    await using bench = await Bench.start();
    const stats = bench.client().stats();
    await bench.log.noted("warn", /no coordinator is running/);
    await bench.respond(OK);
    assert.deepEqual(await stats, OK);
  });
});

describe("a call that is not answered", () => {
  it("retries after its timeout", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(null, null, OK);
    assert.deepEqual(await bench.client({ timeoutMs: 60 }).stats(), OK);
    // More, if the machine is so busy that the answer comes late.
    assert.ok(requests.length >= 3);
    assert.deepEqual(bench.log.of("warn"), []);
  });

  it("waits no longer than its deadline allows", async () => {
    await using bench = await Bench.start();
    await bench.respond(null);
    const since = performance.now();
    const { message } = await errorOf(bench.client().stats({ deadlineMs: 150 }), "unavailable");
    const [, waited] =
      /no answer from tasks\.stats within (\d+) ms: it may have been carried/.exec(message) ?? [];
    assert.ok(Number(waited) <= 150, message);
    assert.ok(performance.now() - since < 2_000);
  });
});

describe("a call that is refused", () => {
  for (const code of RETRYABLE) {
    it(`as ${code} is retried, with growing pauses`, async () => {
      await using bench = await Bench.start();
      const times: number[] = [];
      const logged = mock.method(bench.log, "debug", (line: string) => {
        if (line.endsWith("{}")) times.push(performance.now());
      });
      const busy = refusal(code, true);
      const requests = await bench.respond(busy, busy, busy, OK);
      assert.deepEqual(await bench.client().stats(), OK);
      logged.mock.restore();
      assert.equal(requests.length, 4);
      const pauses = times.slice(1).map((time, i) => time - (times[i] ?? 0));
      for (const [i, atLeast] of [50, 100, 200].entries()) {
        assert.ok((pauses[i] ?? 0) >= atLeast - 1, `pauses of ${pauses.join(", ")} ms`);
      }
    });
  }

  it("ends at its deadline with that refusal, and sends no last request without time for an answer", async () => {
    await using bench = await Bench.start();
    // Pauses of 50 and 100 ms, and the last one up to the deadline.
    const random = mock.method(Math, "random", () => 0);
    try {
      await bench.respondLate(refusal("overloaded", true), 5);
      const since = performance.now();
      const { message } = await errorOf(bench.client({ deadlineMs: 220 }).stats(), "overloaded");
      assert.equal(message, "refused as overloaded");
      assert.ok(performance.now() - since > 200);
    } finally {
      random.mock.restore();
    }
  });

  it("and may not be retried ends at once", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(refusal("not_found", false));
    await errorOf(bench.client().get("a"), "not_found");
    assert.equal(requests.length, 1);
  });
});

describe("a call with the deadline 0", () => {
  it("sends one request, does not retry after any error, and does not warn", async () => {
    await using bench = await Bench.start();
    const client = bench.client({ deadlineMs: 0, timeoutMs: 50 });
    await errorOf(client.stats(), "unavailable");
    assert.deepEqual(bench.log.lines.length, 2);
    const requests = await bench.respond(null, refusal("overloaded", true));
    await errorOf(client.stats(), "unavailable");
    await errorOf(client.stats(), "overloaded");
    await errorOf(client.next({ session_id: "s", wait_seconds: 1 }), "overloaded");
    // More, if the machine is so busy that the answer comes late.
    assert.ok(requests.length >= 3);
    assert.deepEqual(bench.log.of("warn"), []);
  });
});

describe("a call whose signal is aborted", () => {
  const reason = new Error("enough");

  it("before the call sends nothing", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(OK);
    const signal = AbortSignal.abort(reason);
    await assert.rejects(bench.client().stats({ signal }), (error) => error === reason);
    await bench.client().get("a");
    assert.deepEqual(
      requests.map(({ subject }) => subject),
      ["tasks.get.a"],
    );
  });

  for (const [when, answer] of [
    ["while it waits for an answer", null],
    ["between two requests", refusal("overloaded", true)],
  ] as const) {
    for (const given of [reason, "a word", undefined]) {
      it(`${when} rejects at once with ${String(given)} and sends nothing more`, async () => {
        await using bench = await Bench.start();
        const abort = new AbortController();
        const client = bench.client();
        const requests = await bench.respond(answer, OK);
        const stats = client.stats({ signal: abort.signal });
        await bench.log.noted("debug", answer === null ? /^tasks\.stats/ : /refused/);
        abort.abort(given);
        const since = performance.now();
        await assert.rejects(stats, (error) => error === abort.signal.reason);
        // A request has 5 s.
        assert.ok(performance.now() - since < 4_000);
        // Without the signal, the call would have retried long before this answer.
        await client.get("a");
        assert.ok(requests.filter(({ subject }) => subject === "tasks.stats").length <= 1);
      });
    }
  }
});

describe("a call that must not be carried out twice", () => {
  it("is not retried if it is a requeue that may have been carried out", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(null, refusal("unavailable", true));
    const client = bench.client({ timeoutMs: 50 });
    await errorOf(client.requeue("a"), "unavailable");
    await errorOf(client.requeue("a"), "unavailable");
    assert.equal(requests.length, 2);
  });

  it("is retried if it is a requeue that was not carried out", async () => {
    await using bench = await Bench.start();
    const requeue = bench.client().requeue("a");
    await bench.log.noted("warn", /no coordinator is running/);
    const busy = [refusal("overloaded", true), refusal("conflict", true)];
    const requests = await bench.respond(...busy, OK);
    assert.deepEqual(await requeue, OK);
    assert.equal(requests.length, 3);
  });

  it("is not retried if it is an update of a revision that the task no longer has", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(refusal("conflict", true));
    await errorOf(bench.client().update("a", { title: "A", revision: 7 }), "conflict");
    assert.equal(requests.length, 1);
  });

  it("is retried if it is an update that names no revision", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(refusal("conflict", true), OK);
    assert.deepEqual(await bench.client().update("a", { title: "A" }), OK);
    const again = bench.client().update("a", { title: "A", revision: 7 });
    assert.deepEqual(await again, OK);
    assert.equal(requests.length, 3);
  });
});

describe("a call that JSON cannot express", () => {
  it("is refused and not sent", async () => {
    await using bench = await Bench.start();
    const requests = await bench.respond(OK);
    const create = bench.client().create("a", { metadata: { size: 1n } });
    assert.match((await errorOf(create, "invalid_request")).message, /BigInt/);
    assert.deepEqual(requests, []);
  });
});
