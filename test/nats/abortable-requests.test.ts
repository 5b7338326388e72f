import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { errors, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { AbortableRequests } from "../../src/nats/abortable-requests.ts";
import { AnswerDelivery } from "../../src/nats/answer-delivery.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestServer } from "../support/nats-server.ts";

/** Longer than any test takes. */
const PATIENT_MS = 120_000;
const NEVER = new AbortController().signal;

/** A program that takes the requests to `ask`, and answers those whose text is not `silence`. */
class Answerer {
  readonly received: Msg[] = [];
  readonly #connection: NatsConnection;
  readonly #delivery: AnswerDelivery;
  #came: () => void = () => undefined;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#delivery = new AnswerDelivery(connection);
    connection.subscribe("ask", {
      callback: (_, message) => {
        this.received.push(message);
        if (message.string() !== "silence") message.respond(`re: ${message.string()}`);
        this.#came();
      },
    });
  }

  static async start(server: TestServer): Promise<Answerer> {
    const answerer = new Answerer(await server.connect());
    await answerer.#connection.flush();
    return answerer;
  }

  async nth(count: number): Promise<Msg> {
    for (;;) {
      const message = this.received[count - 1];
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
  }

  /** Resolves when NATS says that nobody would receive an answer. */
  async isUnheard(message: Msg): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#delivery.send(message.reply ?? "", Buffer.from("too late"), resolve);
    });
  }
}

async function asked(
  connection: NatsConnection,
  text: string,
  signal = NEVER,
  timeoutMs = PATIENT_MS,
): Promise<string> {
  const answer = await new AbortableRequests(connection).request("ask", text, timeoutMs, signal);
  return answer.string();
}

describe("a request that can be aborted", () => {
  it("may share its signal with many others, without a warning from Node", async () => {
    await using server = await TestServer.start();
    await Answerer.start(server);
    const connection = await server.connect();
    const warnings: Error[] = [];
    const note = (warning: Error): number => warnings.push(warning);
    process.on("warning", note);
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 50 }, (_, i) => asked(connection, `${i}`, signal)));
    await new Promise(setImmediate);
    process.off("warning", note);
    assert.deepEqual(
      warnings.filter(({ message }) => message.includes("abort listeners")),
      [],
    );
  });

  it("receives its own answer, and leaves no subscription or listener behind", async () => {
    await using server = await TestServer.start();
    const answerer = await Answerer.start(server);
    const connection = await server.connect();
    const { signal } = new AbortController();
    const answers = await Promise.all(["a", "b"].map((text) => asked(connection, text, signal)));
    assert.deepEqual(answers, ["re: a", "re: b"]);
    assert.equal(getEventListeners(signal, "abort").length, 0);
    await connection.flush();
    await answerer.isUnheard(await answerer.nth(1));
  });

  it("rejects at once when it is aborted, and NATS tells the program that answers", async () => {
    await using server = await TestServer.start();
    const answerer = await Answerer.start(server);
    const connection = await server.connect();
    const controller = new AbortController();
    const silent = asked(connection, "silence", controller.signal);
    const message = await answerer.nth(1);
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await assert.rejects(silent, reason);
    await connection.flush();
    await answerer.isUnheard(message);
    // A request that is aborted before it is sent is not sent.
    await assert.rejects(asked(connection, "never", controller.signal), reason);
    assert.equal(await asked(connection, "b"), "re: b");
    assert.equal(answerer.received.length, 2);
  });

  it("rejects when the time is over, and when nobody subscribes", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    await assert.rejects(asked(connection, "a"), errors.NoRespondersError);
    const answerer = await Answerer.start(server);
    await assert.rejects(asked(connection, "silence", NEVER, 50), { name: "TimeoutError" });
    await connection.flush();
    await answerer.isUnheard(await answerer.nth(1));
  });

  it("rejects when the connection breaks, and when it is restored, because it may not have been sent", async () => {
    await using server = await TestServer.start();
    const answerer = await Answerer.start(server);
    await using proxy = await NatsProxy.start(server.port);
    const connection = await server.connect({ servers: proxy.url });
    const requests = new AbortableRequests(connection);
    const broken = { name: "RequestError", message: "connection disconnected" };
    const before = requests.request("ask", "silence", PATIENT_MS, NEVER);
    await answerer.nth(1);
    proxy.cut();
    await assert.rejects(before, broken);
    const meanwhile = requests.request("ask", "silence", PATIENT_MS, NEVER);
    proxy.mend();
    await assert.rejects(meanwhile, broken);
    const after = await requests.request("ask", "a", PATIENT_MS, NEVER);
    assert.equal(after.string(), "re: a");
  });

  it("is not the only kind that rejects when the connection breaks: those without a signal do too", async () => {
    await using server = await TestServer.start();
    const answerer = await Answerer.start(server);
    await using proxy = await NatsProxy.start(server.port);
    const connection = await server.connect({ servers: proxy.url });
    const requests = new AbortableRequests(connection);
    const request = (text: string): Promise<Msg> =>
      requests.untilBroken("ask", connection.request("ask", text, { timeout: PATIENT_MS }));
    assert.equal((await request("a")).string(), "re: a");
    const silent = request("silence");
    await answerer.nth(2);
    proxy.cut();
    await assert.rejects(silent, { name: "RequestError", message: "connection disconnected" });
  });

  it("rejects when the connection is closed, and when it has been closed", async () => {
    await using server = await TestServer.start();
    const answerer = await Answerer.start(server);
    const connection = await server.connect();
    const requests = new AbortableRequests(connection);
    const silent = requests.request("ask", "silence", PATIENT_MS, NEVER);
    await answerer.nth(1);
    const closed = connection.close();
    await assert.rejects(silent, { name: "RequestError", message: "connection closed" });
    await closed;
    const late = requests.request("ask", "a", PATIENT_MS, NEVER);
    await assert.rejects(late, { name: "ClosedConnectionError" });
  });

  it("is the only one that rejects when the server does not permit its subject", async () => {
    const deny = "permissions: { publish: { deny: secret } }";
    const config = `jetstream {}\nauthorization { users: [{ user: u, password: p, ${deny} }] }`;
    await using server = await TestServer.start({ config });
    const connection = await server.connect({ user: "u", pass: "p" });
    connection.subscribe("ask", { callback: (_, message) => void message.respond("yes") });
    const requests = new AbortableRequests(connection);
    const allowed = requests.request("ask", "a", PATIENT_MS, NEVER);
    const denied = requests.request("secret", "a", PATIENT_MS, NEVER);
    await assert.rejects(denied, { name: "PermissionViolationError", subject: "secret" });
    assert.equal((await allowed).string(), "yes");
  });
});
