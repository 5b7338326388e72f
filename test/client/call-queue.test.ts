/** What happens to calls beyond the number that a connection has under way at a time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Msg } from "@nats-io/transport-node";
import { EventBus } from "../../src/client/event-bus.ts";
import { Library, type LibraryOptions } from "../support/library.ts";
import { TestServer } from "../support/nats-server.ts";
import { errorOf } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** A library, and a coordinator that answers when the test says so. */
class Bench implements AsyncDisposable {
  readonly server: TestServer;
  readonly library: Library;
  /** The subjects of all requests that have arrived. */
  readonly subjects: string[] = [];
  readonly #unanswered: Msg[] = [];
  #arrived: () => void = () => undefined;

  private constructor(server: TestServer, library: Library) {
    this.server = server;
    this.library = library;
  }

  static async start(options: LibraryOptions): Promise<Bench> {
    const server = await TestServer.start();
    const connection = await server.connect();
    const bench = new Bench(server, await Library.connect(server, options));
    for (const subject of ["tasks.>", "sessions.>"]) {
      connection.subscribe(subject, {
        callback: (_, message) => {
          bench.subjects.push(message.subject);
          bench.#unanswered.push(message);
          bench.#arrived();
        },
      });
    }
    await connection.flush();
    return bench;
  }

  get tasks() {
    return this.library.coordinator.tasks;
  }

  /** Starts a call of each id. @returns their outcomes */
  creations(...ids: string[]): Promise<PromiseSettledResult<unknown>[]> {
    return Promise.allSettled(ids.map((id) => this.tasks.create(id, { title: "A task" })));
  }

  /** Resolves when so many requests have arrived in all. */
  async arrival(count: number): Promise<void> {
    while (this.subjects.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  /** Resolves when everything that the library has sent has arrived. */
  async settle(): Promise<void> {
    await new Promise(setImmediate);
    await this.library.bus.link.connection.flush();
    await new Promise(setImmediate);
  }

  /** Answers the oldest request. */
  answer(reply: object = { ok: true, attempt: 1 }): void {
    this.#unanswered.shift()?.respond(JSON.stringify(reply));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.library[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

const outcomesOf = (settled: readonly PromiseSettledResult<unknown>[]): string[] =>
  settled.map(({ status }) => status);

describe("calls beyond maxInFlight", () => {
  it("are carried out, although the worker would refuse so many at once", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.in_flight": 8 } });
    await using library = await Library.connect(coordinator, { maxInFlight: 8, deadlineMs: 0 });
    const ids = Array.from({ length: 500 }, (_, i) => `t-${i}`);
    const { tasks } = library.coordinator;
    const call = async (id: string): Promise<number> => {
      await tasks.create(id, { title: "A task" });
      return (await tasks.claim(id, { session_id: "session-1" })).attempt;
    };
    assert.deepEqual(
      await Promise.all(ids.map(call)),
      ids.map(() => 1),
    );
  });

  it("wait for their turn, in their order", async () => {
    await using bench = await Bench.start({ maxInFlight: 2 });
    const creations = bench.creations("a", "b", "c", "d", "e");
    await bench.arrival(2);
    await bench.settle();
    assert.deepEqual(bench.subjects, ["tasks.create.a", "tasks.create.b"]);
    for (const [arrived, last] of ["c", "d", "e"].entries()) {
      bench.answer();
      await bench.arrival(arrived + 3);
      await bench.settle();
      assert.equal(bench.subjects.length, arrived + 3);
      assert.equal(bench.subjects.at(-1), `tasks.create.${last}`);
    }
    bench.answer();
    bench.answer();
    assert.deepEqual(new Set(outcomesOf(await creations)), new Set(["fulfilled"]));
  });

  it("do not delay a heartbeat, a renewal, a release or a request that waits for a task", async () => {
    await using bench = await Bench.start({ maxInFlight: 1 });
    const creations = bench.creations("a", "b");
    await bench.arrival(1);
    const session_id = "session-1";
    const others = [
      bench.tasks.heartbeat(session_id),
      bench.tasks.next({ session_id, wait_seconds: 30 }).catch(() => undefined),
      bench.tasks.next({ session_id, wait_seconds: 30 }).catch(() => undefined),
      bench.tasks.renew("c", { session_id }),
      bench.tasks.release("d", { session_id, status: "complete" }),
    ];
    await bench.arrival(5);
    assert.deepEqual(bench.subjects.toSorted(), [
      ...["sessions.heartbeat.session-1", "tasks.create.a"],
      ...["tasks.next", "tasks.next", "tasks.renew.c"],
    ]);
    // The release waits for the renewal, but not for the creations.
    while (bench.subjects.length < 7) {
      bench.answer();
      await bench.settle();
    }
    bench.answer();
    bench.answer();
    await Promise.all([creations, ...others]);
    assert.deepEqual(bench.subjects.slice(5).toSorted(), ["tasks.create.b", "tasks.release.d"]);
  });

  it("of several sessions take turns", async () => {
    await using bench = await Bench.start({ maxInFlight: 1 });
    const claims = ["many", "many", "many", "many", "one"].map((session_id, i) =>
      bench.tasks.claim(`${session_id}-${i}`, { session_id }),
    );
    for (let count = 1; count <= claims.length; count++) {
      await bench.arrival(count);
      bench.answer();
    }
    await Promise.all(claims);
    const claimed = ["many-0", "many-1", "one-4", "many-2", "many-3"];
    assert.deepEqual(
      bench.subjects,
      claimed.map((id) => `tasks.claim.${id}`),
    );
  });

  it("can be aborted, and are then never sent", async () => {
    await using bench = await Bench.start({ maxInFlight: 1 });
    const first = bench.creations("a");
    const abort = new AbortController();
    const { signal } = abort;
    const second = bench.tasks.create("b", { title: "B" }, { signal });
    const third = bench.creations("c");
    const reason = new Error("no longer wanted");
    abort.abort(reason);
    await assert.rejects(second, reason);
    await assert.rejects(bench.tasks.create("d", { title: "D" }, { signal }), reason);
    await bench.arrival(1);
    bench.answer();
    await bench.arrival(2);
    bench.answer();
    await Promise.all([first, third]);
    assert.deepEqual(bench.subjects, ["tasks.create.a", "tasks.create.c"]);
  });

  it("give up when no call is answered for as long as their deadline", async () => {
    await using bench = await Bench.start({ maxInFlight: 1 });
    const unanswered = bench.creations("a");
    const error = await errorOf(
      bench.tasks.create("b", { title: "B" }, { deadlineMs: 200 }),
      "unavailable",
    );
    assert.match(error.message, /^tasks\.create\.b was not sent: .* for 200 ms$/);
    assert.deepEqual(error.details, { problem: "not_sent" });
    assert.equal(error.retryable, true);
    // Its place in the queue is gone as well.
    const third = bench.creations("c");
    bench.answer();
    await bench.arrival(2);
    bench.answer();
    await Promise.all([unanswered, third]);
    assert.deepEqual(bench.subjects, ["tasks.create.a", "tasks.create.c"]);
  });

  it("wait longer than their deadline while others are answered", async () => {
    await using bench = await Bench.start({ maxInFlight: 1, deadlineMs: 1_000 });
    const startedAt = performance.now();
    const ids = Array.from({ length: 25 }, (_, i) => `t-${i}`);
    const creations = bench.creations(...ids);
    for (const [before] of ids.entries()) {
      await bench.arrival(before + 1);
      const answerAt = startedAt + before * 50;
      while (performance.now() < answerAt) await bench.settle();
      bench.answer();
    }
    assert.deepEqual(new Set(outcomesOf(await creations)), new Set(["fulfilled"]));
    assert.ok(performance.now() - startedAt > 1_000);
  });

  it("reject when the event bus is disconnected", async () => {
    await using bench = await Bench.start({ maxInFlight: 2 });
    const ids = Array.from({ length: 1000 }, (_, i) => `t-${i}`);
    const creations = bench.creations(...ids);
    await bench.arrival(2);
    await bench.library.bus.disconnect();
    for (const outcome of await creations) {
      assert.ok(outcome.status === "rejected");
      const error = await errorOf(Promise.reject(outcome.reason as Error), "unavailable");
      assert.equal(error.details.problem, "closed");
    }
    assert.equal(bench.subjects.length, 2);
  });

  it("are carried out after a lost connection", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await Library.connect(coordinator, { maxInFlight: 2 });
    const { tasks } = library.coordinator;
    const ids = Array.from({ length: 50 }, (_, i) => `t-${i}`);
    const creations = ids.map((id) => tasks.create(id, { title: "A task" }));
    await creations[0];
    await coordinator.server.kill();
    await coordinator.server.restart();
    await Promise.all(creations);
    const { tasks: listed } = await tasks.list({ limit: 100 });
    assert.equal(listed.length, ids.length);
  });
});

describe("the option maxInFlight", () => {
  it("must be a whole number of at least 1", () => {
    for (const maxInFlight of [0, -1, 1.5, NaN, Infinity]) {
      assert.throws(() => new EventBus({ backend: "nats", maxInFlight }), {
        code: "invalid_request",
        message: "maxInFlight: must be a whole number, at least 1",
      });
    }
  });
});
