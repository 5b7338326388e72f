import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createInbox } from "@nats-io/transport-node";
import { MessageTraces } from "../../src/nats/message-traces.ts";
import { TestServer } from "../support/nats-server.ts";

describe("message traces", () => {
  it("distinguish listeners from those that have gone, and deliver nothing", async () => {
    await using server = await TestServer.start();
    const traces = new MessageTraces(await server.connect());
    const client = await server.connect();
    const inbox = createInbox();
    const received: string[] = [];
    // Ends with its first message, like the inbox of a single request.
    client.subscribe(inbox, { max: 1, callback: (_, msg) => void received.push(msg.string()) });
    await client.flush();
    assert.deepEqual(await Promise.all([inbox, inbox].map((to) => traces.isListening(to))), [
      true,
      true,
    ]);
    assert.equal(await traces.isListening(createInbox()), false);
    client.publish(inbox, "the answer");
    await client.flush();
    assert.deepEqual(received, ["the answer"]);
    assert.equal(await traces.isListening(inbox), false);
    traces.stop();
  });

  it("answer hundreds of questions at once", async () => {
    await using server = await TestServer.start();
    const traces = new MessageTraces(await server.connect());
    const client = await server.connect();
    const inbox = createInbox();
    client.subscribe(`${inbox}.*`, { callback: () => undefined });
    await client.flush();
    const all = Array.from({ length: 500 }, (_, i) => `${inbox}.${i}`);
    const listening = async (subjects: readonly string[]): Promise<string[]> => {
      const answers = await Promise.all(subjects.map((subject) => traces.isListening(subject)));
      return subjects.filter((_, i) => answers[i]);
    };
    assert.deepEqual(await listening(all), all);
    await client.close();
    // Servers before 2.15 lose a few of so many traces. Without a trace, a subject counts as listening.
    let left = await listening(all);
    assert.ok(left.length < all.length / 10, `${left.length} of ${all.length}`);
    for (let tries = 0; tries < 10 && left.length > 0; tries++) left = await listening(left);
    assert.deepEqual(left, []);
    traces.stop();
  });

  it("assume a listener if there is no trace: in another account, or without the server", async () => {
    await using server = await TestServer.start();
    const traces = new MessageTraces(await server.connect());
    assert.equal(await traces.isListening("_R_.abc.def"), true);
    await server.kill();
    assert.equal(await traces.isListening("nobody"), true);
  });
});
