import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Link } from "../../scripts/lab/link.ts";

/** A client that is connected through a link to an echo server. */
class Linked implements AsyncDisposable {
  readonly link: Link;
  readonly client: Socket;
  received = "";
  readonly #stop: () => void;

  private constructor(link: Link, client: Socket, stop: () => void) {
    this.link = link;
    this.client = client;
    this.#stop = stop;
    client.on("error", () => undefined);
    client.on("data", (chunk) => (this.received += chunk.toString()));
  }

  static async open(): Promise<Linked> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const link = await Link.open(
      "127.0.0.1",
      `127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    const client = connect(Number(link.address.split(":")[1]), "127.0.0.1");
    await once(client, "connect");
    return new Linked(link, client, () => server.close());
  }

  async say(text: string, until = text): Promise<number> {
    const before = performance.now();
    this.client.write(text);
    while (!this.received.endsWith(until)) await delay(5);
    return performance.now() - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    await this.link[Symbol.asyncDispose]();
    this.#stop();
  }
}

/** How early the timers of a few steps may be in total. */
const TIMER_MS = 10;

describe("a link", () => {
  it("passes data on", async () => {
    await using linked = await Linked.open();
    await linked.say("hello");
  });

  it("is slow while it is slowed down, and keeps the order", async () => {
    await using linked = await Linked.open();
    const endDelay = linked.link.slowDown({ delayMs: 60, jitterMs: 60, bytesPerSecond: Infinity });
    for (const digit of "12345678") {
      linked.client.write(digit);
      await delay(5);
    }
    assert.ok((await linked.say("9")) >= 2 * 60 - TIMER_MS);
    assert.equal(linked.received, "123456789");
    endDelay();
    const end = linked.link.slowDown({ delayMs: 0, jitterMs: 0, bytesPerSecond: 1_000 });
    const slow = await linked.say("x".repeat(99) + "y");
    assert.ok(slow >= 2 * 100 - TIMER_MS);
    end();
    assert.ok((await linked.say("fast")) < slow);
  });

  it("passes on at once what waits when its slowness ends, and then an end of the connection", async () => {
    await using linked = await Linked.open();
    const end = linked.link.slowDown({ delayMs: 0, jitterMs: 0, bytesPerSecond: 1 });
    linked.client.write("x".repeat(10_000) + "y");
    await delay(50);
    assert.equal(linked.received, "");
    end();
    await linked.say("z", "yz");
    linked.client.end();
    await once(linked.client, "close");
  });

  it("stays slow until each slowness has ended", async () => {
    await using linked = await Linked.open();
    const first = linked.link.slowDown({ delayMs: 50, jitterMs: 0, bytesPerSecond: Infinity });
    linked.link.slowDown({ delayMs: 60, jitterMs: 0, bytesPerSecond: Infinity });
    first();
    assert.ok((await linked.say("slow")) >= 2 * 60 - TIMER_MS);
  });

  for (const direction of ["up", "down"] as const) {
    it(`stands still in direction ${direction}, and then passes on the data that it held`, async () => {
      await using linked = await Linked.open();
      const end = linked.link.stop(direction);
      linked.client.write("held");
      await delay(100);
      assert.equal(linked.received, "");
      assert.equal(linked.client.destroyed, false);
      end();
      await linked.say(" back", "held back");
    });
  }

  it("passes on no end of a connection while it stands still", async () => {
    await using linked = await Linked.open();
    await linked.say("there");
    const end = linked.link.stop("up", "down");
    linked.client.end();
    await delay(100);
    assert.equal(linked.client.destroyed, false);
    end();
    if (!linked.client.closed) await once(linked.client, "close");
  });

  it("breaks connections, and accepts new ones", async () => {
    await using linked = await Linked.open();
    await linked.say("there");
    linked.link.breakConnections();
    await once(linked.client, "close");
    const again = connect(Number(linked.link.address.split(":")[1]), "127.0.0.1");
    await once(again, "connect");
    again.destroy();
  });
});
