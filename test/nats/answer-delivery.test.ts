import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { headers, type Msg, type NatsConnection } from "@nats-io/transport-node";
import { AnswerDelivery } from "../../src/nats/answer-delivery.ts";
import { TestServer } from "../support/nats-server.ts";

/** Sends answers, and records those that reached nobody. */
class NotedDelivery {
  readonly delivery: AnswerDelivery;
  readonly undelivered: string[] = [];

  constructor(connection: NatsConnection) {
    this.delivery = new AnswerDelivery(connection);
  }

  send(subject: string, text = "answer"): void {
    this.delivery.send(subject, Buffer.from(text), () => {
      this.undelivered.push(subject);
    });
  }

  /** Resolves when the server has reported on all earlier answers. */
  async drained(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.delivery.send("nobody.listens", Buffer.alloc(0), resolve);
    });
    await answered;
  }
}

describe("the delivery of an answer", () => {
  it("is reported if nobody listens", async () => {
    await using server = await TestServer.start();
    const noted = new NotedDelivery(await server.connect());
    noted.send("gone.1");
    noted.send("gone.2");
    await noted.drained();
    assert.deepEqual(noted.undelivered, ["gone.1", "gone.2"]);
  });

  it("is not reported if somebody listens", async () => {
    await using server = await TestServer.start();
    const noted = new NotedDelivery(await server.connect());
    const receiver = await server.connect();
    const received = once(listen(receiver, "here"), "message");
    await receiver.flush();
    noted.send("here", "the answer");
    assert.equal(((await received) as [Msg])[0].string(), "the answer");
    await noted.drained();
    assert.deepEqual(noted.undelivered, []);
  });

  it("is reported if the listener has gone", async () => {
    await using server = await TestServer.start();
    const noted = new NotedDelivery(await server.connect());
    const receiver = await server.connect();
    const messages = listen(receiver, "here");
    await receiver.flush();
    const received = once(messages, "message");
    noted.send("here");
    await received;
    await receiver.drain();
    noted.send("here");
    await noted.drained();
    assert.deepEqual(noted.undelivered, ["here"]);
  });

  it("is not reported because a receiver forges the notice for later answers", async () => {
    await using server = await TestServer.start();
    const [worker, attacker, victim] = [
      await server.connect(),
      await server.connect(),
      await server.connect(),
    ];
    const noted = new NotedDelivery(worker);
    const own = once(listen(attacker, "attacker"), "message") as Promise<[Msg]>;
    listen(victim, "victim");
    await Promise.all([attacker.flush(), victim.flush()]);
    noted.send("attacker");
    const [{ reply = "" }] = await own;
    noted.send("victim");
    for (let serial = 0; serial < 200; serial++) {
      const guess = reply.replace(/[^.]*$/, serial.toString(36));
      attacker.publish(guess, "", { headers: headers(503, "No Responders") });
    }
    await attacker.flush();
    await worker.flush();
    assert.deepEqual(noted.undelivered, []);
  });

  it("is not confused by a receiver that replies, with or without text", async () => {
    await using server = await TestServer.start();
    const noted = new NotedDelivery(await server.connect());
    const receiver = await server.connect();
    for (const [subject, reply] of [
      ["polite", "thank you"],
      ["silent", ""],
    ] as const) {
      receiver.subscribe(subject, {
        callback: (_, msg) => {
          msg.respond(reply);
        },
      });
    }
    await receiver.flush();
    noted.send("polite");
    noted.send("silent");
    // The receiver gets each answer before its replies, which come back before those of the sentinel.
    const done = once(listen(receiver, "done"), "message");
    await receiver.flush();
    noted.send("done");
    await done;
    await receiver.flush();
    await noted.drained();
    assert.deepEqual(noted.undelivered, []);
  });

  it("throws if it cannot be sent, and is not reported then", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const noted = new NotedDelivery(connection);
    assert.throws(() => {
      noted.send("not a subject");
    });
    assert.throws(() => {
      noted.send("large", "x".repeat(2 * 1024 * 1024));
    });
    await noted.drained();
    assert.deepEqual(noted.undelivered, []);
  });

  it("stops without the server too", async () => {
    await using server = await TestServer.start();
    const connection = await server.connect();
    const noted = new NotedDelivery(connection);
    const status = connection.status();
    await server.kill();
    for await (const { type } of status) if (type === "disconnect") break;
    await noted.delivery.stop();
    assert.deepEqual(noted.undelivered, []);
  });

  it("waits for the server's report before it stops", async () => {
    await using server = await TestServer.start();
    const noted = new NotedDelivery(await server.connect());
    noted.send("gone");
    await noted.delivery.stop();
    assert.deepEqual(noted.undelivered, ["gone"]);
  });
});

/** Emits `message` for each message. */
function listen(connection: NatsConnection, subject: string): EventEmitter {
  const messages = new EventEmitter();
  connection.subscribe(subject, {
    callback: (_, msg) => {
      messages.emit("message", msg);
    },
  });
  return messages;
}
