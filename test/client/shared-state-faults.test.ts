/** Writes of shared state whose outcome is unknown: the library never reports an outcome that may be wrong. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { type EventBus, TaskError } from "../../src/index.ts";
import { Library } from "../support/library.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf } from "../support/stand-in.ts";

/** A write on its way to the server. */
interface Write {
  readonly send: () => void;
  /** Its acknowledgement is dropped. */
  readonly sendUnheard: () => void;
  /** Answers as a former leader does. */
  readonly refuse: () => void;
}

/** Holds the next write of the key instead of sending it. */
function intercept(bus: EventBus, key: string, handle: (write: Write) => void): void {
  const { connection } = bus.link;
  const publish = connection.publish.bind(connection);
  let isOver = false;
  mock.method(connection, "publish", (...args: Parameters<typeof publish>) => {
    const [subject, payload, options] = args;
    const send = (): void => {
      publish(...args);
    };
    if (isOver || subject !== `$KV.shared.${key}`) {
      send();
      return;
    }
    isOver = true;
    const sendUnheard = (): void => {
      publish(subject, payload, { ...options, reply: "nobody" });
    };
    const refuse = (): void => {
      publish(options?.reply ?? "", JSON.stringify({ error: BEHIND, seq: 0 }));
    };
    handle({ send, sendUnheard, refuse });
  });
}

const BEHIND = { code: 400, err_code: 10071, description: "wrong last sequence: 0" };

function unheard({ sendUnheard }: Write): void {
  sendUnheard();
}

function lost(): void {
  // It is not sent.
}

describe("a write of shared state whose acknowledgement is lost", { concurrency: true }, () => {
  it("is retried for a put, and true for a deletion", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("deleted", 1);
    intercept(bus, "deleted", unheard);
    intercept(bus, "put", unheard);
    const outcomes = await Promise.all([bus.put("put", 1), bus.delete("deleted")]);
    assert.deepEqual(outcomes, [true, true]);
    assert.deepEqual([await bus.get("put"), await bus.get("deleted")], [1, null]);
  });

  it("is found for a swap", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("old", 1);
    for (const key of ["old", "new"]) intercept(bus, key, unheard);
    const swaps = [bus.compareAndSwap("old", 1, 2), bus.compareAndSwap("new", null, 2)];
    assert.deepEqual(await Promise.all(swaps), [true, true]);
    assert.deepEqual([await bus.get("old"), await bus.get("new")], [2, 2]);
  });

  it("is neither true nor false for a swap if another write came before or after it", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await using other = await Library.connect(server);
    const { bus } = library;
    const keys = ["theirs", "undone"];
    for (const key of keys) await bus.put(key, 1);
    intercept(bus, "theirs", () => void other.bus.compareAndSwap("theirs", 1, 2));
    intercept(bus, "undone", ({ sendUnheard }) => {
      sendUnheard();
      void undo(other.bus, "undone");
    });
    const errors = await Promise.all(
      keys.map((key) => errorOf(bus.compareAndSwap(key, 1, 2), "unavailable")),
    );
    for (const { message, retryable } of errors) {
      assert.match(message, /did not acknowledge the write of .*: it may have been carried out/);
      assert.equal(retryable, false);
    }
    // A value that another session has put back is not swapped a second time.
    assert.deepEqual(await Promise.all(keys.map((key) => bus.get(key))), [2, 1]);
  });

  it("is retried for a swap that was not carried out", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    await bus.put("old", 1);
    intercept(bus, "old", lost);
    intercept(bus, "new", lost);
    const swaps = [bus.compareAndSwap("old", 1, 2), bus.compareAndSwap("new", null, 2)];
    assert.deepEqual(await Promise.all(swaps), [true, true]);
    assert.deepEqual([await bus.get("old"), await bus.get("new")], [2, 2]);
  });
});

describe("a write of shared state that a former leader refuses while the leader makes it", () => {
  it("has succeeded", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { bus } = library;
    for (const key of ["deleted", "old"]) {
      await bus.put(key, 1);
      intercept(bus, key, ({ sendUnheard, refuse }) => {
        refuse();
        sendUnheard();
      });
    }
    assert.equal(await bus.delete("deleted"), true);
    assert.equal(await bus.compareAndSwap("old", 1, 2), true);
    assert.deepEqual([await bus.get("deleted"), await bus.get("old")], [null, 2]);
  });

  it("is neither true nor false for a swap if another write followed", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await using other = await Library.connect(server);
    await library.bus.put("undone", 1);
    intercept(library.bus, "undone", ({ sendUnheard, refuse }) => {
      sendUnheard();
      void undo(other.bus, "undone").then(refuse);
    });
    const swap = library.bus.compareAndSwap("undone", 1, 2);
    assert.equal((await errorOf(swap, "unavailable")).retryable, false);
  });
});

describe("a swap that meets another write", () => {
  it("is retried if that wrote the same value again, and otherwise is false", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await using other = await Library.connect(server);
    const { bus } = library;
    for (const key of ["same", "different"]) await bus.put(key, 1);
    intercept(bus, "same", ({ send }) => void other.bus.put("same", 1).then(send));
    intercept(bus, "different", ({ send }) => void other.bus.put("different", 7).then(send));
    assert.equal(await bus.compareAndSwap("same", 1, 2), true);
    assert.equal(await bus.compareAndSwap("different", 1, 2), false);
    assert.deepEqual([await bus.get("same"), await bus.get("different")], [2, 7]);
  });
});

/** Puts 1 back as soon as it has been swapped. */
async function undo(bus: EventBus, key: string): Promise<void> {
  while (!(await bus.compareAndSwap(key, 2, 1)));
}

describe("counting by compareAndSwap over a connection that breaks", () => {
  it("counts each success once, and nothing that was refused", async () => {
    await using server = await TestServer.start();
    await using proxy = await NatsProxy.start(server.port);
    await using library = await Library.connect(proxy);
    await using observer = await Library.connect(server);
    const { bus } = library;
    await bus.put("count", 0);
    let counted = 0;
    let unknown = 0;
    let isOver = false;
    const count = async (): Promise<void> => {
      while (!isOver) {
        try {
          const before = await bus.get("count");
          if (await bus.compareAndSwap("count", before, Number(before) + 1)) counted++;
        } catch (error) {
          assert.ok(error instanceof TaskError && error.code === "unavailable", String(error));
          unknown++;
        }
      }
    };
    const counting = [count(), count(), count()];
    for (let cuts = 0; cuts < 3; cuts++) {
      const value = Number(await observer.bus.get("count"));
      await until(observer.bus, "count", (now) => Number(now) > value + 20);
      proxy.cut();
      proxy.mend();
    }
    const value = Number(await observer.bus.get("count"));
    await until(observer.bus, "count", (now) => Number(now) > value);
    isOver = true;
    await Promise.all(counting);
    const total = Number(await observer.bus.get("count"));
    assert.ok(counted <= total, `${counted} successes make ${total}`);
    assert.ok(total <= counted + unknown, `${counted} and ${unknown} unknown make ${total}`);
  });
});

/** Resolves when the value fits. */
async function until(bus: EventBus, key: string, fits: (value: unknown) => boolean): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    bus
      .watch(key, ({ value }) => {
        if (fits(value)) resolve();
      })
      .catch(reject);
  });
}
