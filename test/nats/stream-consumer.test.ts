import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { KvAccess } from "../../src/nats/kv-access.ts";
import { consumeStream, type StreamConsumer } from "../../src/nats/stream-consumer.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { openKvAccess } from "../support/kv-access.ts";
import { TestServer } from "../support/nats-server.ts";

const PATIENCE_MS = 15_000;

async function openStream(connection: NatsConnection): Promise<KvAccess> {
  const access = await openKvAccess(connection);
  await access.jsm.streams.add({ name: "S", subjects: ["s.>"] });
  return access;
}

/** A consumer of the stream that records all calls of its handler. */
class NotedConsumer {
  /** `<subject>=<text> +<pending>`, `idle` (once if several follow each other), and `ended: <why>`. */
  readonly notes: string[] = [];
  readonly #noted = new EventEmitter();

  async start(access: KvAccess): Promise<StreamConsumer> {
    return consumeStream(access, "S", "s.>", {
      message: ({ msg, pending }) => {
        this.#note(`${msg.subject}=${msg.string()} +${pending}`);
        return true;
      },
      idle: () => {
        if (this.notes.at(-1) !== "idle") this.#note("idle");
      },
      ended: (error) => {
        this.#note(`ended: ${error.message}`);
      },
    });
  }

  /** Resolves with the first note that matches. */
  async noted(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.notes.find((note) => pattern.test(note));
      if (found !== undefined) return found;
      const signal = AbortSignal.timeout(PATIENCE_MS);
      await once(this.#noted, "note", { signal }).catch(() => {
        throw new Error(`no ${String(pattern)}, only ${this.notes.join(", ")}`);
      });
    }
  }

  #note(note: string): void {
    this.notes.push(note);
    this.#noted.emit("note");
  }
}

/** A watch of this pace asks again a minute after each answer, unless somebody waits. */
const STANDSTILL = { busyMessages: 1, windowMs: 60_000, newsMs: 60_000, ownMs: 60_000 };

/** A consumer that has had a message, and waits before it asks for the next. */
async function pausedConsumer(
  server: TestServer,
): Promise<{ access: KvAccess; noted: NotedConsumer; consumer: StreamConsumer }> {
  const access = await openStream(await server.connect());
  const noted = new NotedConsumer();
  const consumer = await noted.start({ ...access, pace: STANDSTILL });
  await jetstream(access.connection).publish("s.a", "a1");
  await noted.noted(/a1/);
  return { access, noted, consumer };
}

describe("a consumer of a stream", () => {
  it("delivers the last message of each subject, then every new one, and reports when it is idle", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    for (const text of ["a1", "b1", "a2"]) {
      await jetstream(access.connection).publish(`s.${text.charAt(0)}`, text);
    }
    const noted = new NotedConsumer();
    const consumer = await noted.start(access);
    assert.equal(consumer.pending, 2);
    await noted.noted(/idle/);
    assert.deepEqual(noted.notes, ["s.b=b1 +1", "s.a=a2 +0", "idle"]);
    for (let i = 0; i < 1_000; i++) access.connection.publish("s.c", `c${i}`);
    await noted.noted(/^s\.c=c999 /);
    const texts = noted.notes
      .filter((note) => note.startsWith("s.c"))
      .map((note) => note.split(" ")[0]);
    assert.deepEqual(
      texts,
      Array.from({ length: 1_000 }, (_ignored, i) => `s.c=c${i}`),
    );
    consumer.stop();
  });

  it("is removed from the server when it is stopped, and delivers nothing after that", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    const noted = new NotedConsumer();
    const consumer = await noted.start(access);
    consumer.stop();
    for (let left = 1; left > 0;) {
      left = (await access.jsm.streams.info("S")).state.consumer_count;
    }
    await jetstream(access.connection).publish("s.a", "late");
    await access.connection.flush();
    assert.deepEqual(noted.notes, []);
  });

  it("ends once when the server has deleted it", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    const noted = new NotedConsumer();
    await noted.start(access);
    await jetstream(access.connection).publish("s.a", "a1");
    await noted.noted(/a1/);
    for await (const { name } of access.jsm.consumers.list("S")) {
      await access.jsm.consumers.delete("S", name);
    }
    await noted.noted(/^ended: /);
    await jetstream(access.connection).publish("s.a", "late");
    await access.connection.flush();
    assert.equal(noted.notes.filter((note) => note.startsWith("ended")).length, 1);
    assert.ok(!noted.notes.some((note) => note.includes("late")), noted.notes.join(", "));
  });

  it("ends within seconds when the server sends nothing, although the connection is up", async () => {
    await using server = await TestServer.start();
    await openStream(await server.connect());
    await using proxy = await NatsProxy.start(server.port);
    const connection = await server.connect({ servers: proxy.url });
    const noted = new NotedConsumer();
    await noted.start(await openKvAccess(connection));
    await noted.noted(/idle/);
    proxy.silenceServer();
    assert.match(await noted.noted(/^ended: /), /no heartbeat from the consumer of S/);
    assert.equal(connection.isClosed(), false);
  });

  it("takes what is written under load in batches", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    let requests = 0;
    access.connection.subscribe("$JS.API.CONSUMER.MSG.NEXT.S.*", {
      callback: () => {
        requests++;
      },
    });
    const noted = new NotedConsumer();
    const consumer = await noted.start(access);
    const writes = 5_000;
    for (let i = 1; i <= writes; i++) access.connection.publish("s.a", `a${i}`);
    await noted.noted(new RegExp(`=a${writes} `));
    assert.equal(noted.notes.filter((note) => note.startsWith("s.a=")).length, writes);
    assert.ok(requests < writes / 10, `${requests} requests`);
    consumer.stop();
  });

  it("delivers more than a batch that was there before it began", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    const keys = 2_500;
    for (let i = 1; i <= keys; i++) access.connection.publish(`s.k${i}`, "x");
    await access.connection.flush();
    while ((await access.jsm.streams.info("S")).state.messages < keys);
    const noted = new NotedConsumer();
    const consumer = await noted.start(access);
    assert.equal(consumer.pending, keys);
    await noted.noted(/^idle/);
    const last = noted.notes.at(-2);
    assert.deepEqual([noted.notes.length, last], [keys + 1, `s.k${keys}=x +0`]);
    consumer.stop();
  });

  it("asks for fewer messages at a time if they can be large, or are", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    const batches: number[] = [];
    access.connection.subscribe("$JS.API.CONSUMER.MSG.NEXT.S.*", {
      callback: (_, msg) => {
        batches.push(msg.json<{ batch: number }>().batch);
      },
    });
    const MIB = 1024 * 1024;
    for (const [maxMessageBytes, first] of [
      [undefined, 500],
      [65_536, 500],
      [1_000_000, 33],
      [64 * MIB, 1],
    ] as const) {
      batches.length = 0;
      const noted = new NotedConsumer();
      const consumer = await noted.start({
        ...access,
        ...(maxMessageBytes !== undefined && { maxMessageBytes }),
      });
      await noted.noted(/^idle/);
      consumer.stop();
      assert.equal(batches[0], first);
    }
    batches.length = 0;
    const noted = new NotedConsumer();
    const consumer = await noted.start(access);
    await jetstream(access.connection).publish("s.a", "x".repeat(MIB - 100));
    await noted.noted(/^s\.a/);
    await jetstream(access.connection).publish("s.b", "end");
    await noted.noted(/^s\.b/);
    assert.deepEqual([batches[0], batches.at(-1)], [500, 31]);
    consumer.stop();
  });

  it("delivers all that was there before it began, in batches of large messages", async () => {
    await using server = await TestServer.start();
    const access = await openStream(await server.connect());
    const [keys, text] = [80, "x".repeat(900_000)];
    for (let i = 1; i <= keys; i++) await jetstream(access.connection).publish(`s.k${i}`, text);
    const subjects: string[] = [];
    const consumer = await new Promise<StreamConsumer>((resolve, reject) => {
      const started = consumeStream({ ...access, maxMessageBytes: 900_000 }, "S", "s.>", {
        message: ({ msg }) => {
          subjects.push(msg.subject);
          if (subjects.length === keys) resolve(started);
          return true;
        },
        idle: () => undefined,
        ended: reject,
      });
    });
    assert.deepEqual([subjects[0], subjects.at(-1)], ["s.k1", `s.k${keys}`]);
    consumer.stop();
  });

  it("asks at once when somebody waits for a message", async () => {
    await using server = await TestServer.start();
    const { access, noted, consumer } = await pausedConsumer(server);
    for (const text of ["a2", "a3"]) {
      const { seq } = await jetstream(access.connection).publish("s.a", text);
      consumer.hurry(seq);
      await noted.noted(new RegExp(text));
    }
    consumer.stop();
  });

  it("ends if the server has deleted it while nothing was asked for", async () => {
    await using server = await TestServer.start();
    const { access, noted, consumer } = await pausedConsumer(server);
    for await (const { name } of access.jsm.consumers.list("S")) {
      await access.jsm.consumers.delete("S", name);
    }
    consumer.hurry(1_000);
    await noted.noted(/^ended: /);
  });

  it("rejects if there is no such stream", async () => {
    await using server = await TestServer.start();
    const noted = new NotedConsumer();
    await assert.rejects(
      noted.start(await openKvAccess(await server.connect())),
      /stream not found/,
    );
    assert.deepEqual(noted.notes, []);
  });
});
