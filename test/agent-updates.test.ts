/** What workers send agents of their own tasks, if agents do not see everything. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { NatsConnection } from "@nats-io/transport-node";
import { Cleanup } from "../src/cleanup.ts";
import { type Claim, Coordinator, EventBus, type TaskError } from "../src/index.ts";
import { ObservedUpdates } from "./support/observed-updates.ts";
import { SecuredServer } from "./support/secured-server.ts";
import { serveSecured } from "./support/secured-worker.ts";
import type { Json } from "./support/test-coordinator.ts";

/** Much less than the third of a lease after which a renewal tells the same, and than the checks of the library. */
const SOON_MS = 10_000;

class Board implements AsyncDisposable {
  readonly secured: SecuredServer;
  readonly #cleanup: Cleanup;

  private constructor(secured: SecuredServer, cleanup: Cleanup) {
    this.secured = secured;
    this.#cleanup = cleanup;
  }

  /** With the operator ann and the agents s1 and s2. */
  static async start(visibility: "definitions" | "own"): Promise<Board> {
    const cleanup = new Cleanup();
    const secured = cleanup.use(await SecuredServer.start(visibility));
    await secured.add("ann", "operator");
    for (const agent of ["s1", "s2"]) await secured.add(agent);
    await serveSecured(secured, cleanup, { "auth.visibility": visibility });
    return new Board(secured, cleanup);
  }

  async ask(name: string, subject: string, body: object = {}): Promise<Json> {
    const connection = await this.secured.connectAs(name);
    const reply = (await connection.request(subject, JSON.stringify(body))).json<Json>();
    assert.equal(reply.ok, true, JSON.stringify(reply));
    return reply;
  }

  /** The library, with the credentials of this agent. */
  async library(name: string): Promise<Coordinator> {
    const bus = new EventBus({
      backend: "nats",
      config: {
        servers: [this.secured.server.url],
        credsFile: this.secured.folder.credentialsFile(name),
      },
    });
    this.#cleanup.defer(() => bus.disconnect());
    await bus.connect();
    const coordinator = new Coordinator(bus);
    this.#cleanup.defer(() => coordinator.stop());
    return coordinator;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }
}

/** Each message as its id, event and payload, in order. */
async function messagesTo(connection: NatsConnection): Promise<string[]> {
  const heard: string[] = [];
  connection.subscribe("task-updates.>", {
    callback: (_, message) => {
      const { last_event: event, payload } = message.json<Json>();
      heard.push(`${message.subject} ${String(event.type)} ${String(payload)}`);
    },
  });
  await connection.flush();
  return heard;
}

for (const visibility of ["definitions", "own"] as const) {
  describe(`an agent that sees ${visibility}`, () => {
    it("receives the records of its own tasks, and without contents the one of its loss", async () => {
      await using board = await Board.start(visibility);
      const connections = await Promise.all(["s1", "s2"].map((s) => board.secured.connectAs(s)));
      const [toFirst, toSecond] = await Promise.all(connections.map(messagesTo));
      await board.ask("s1", "tasks.create.a", { payload: "mine" });
      await board.ask("ann", "tasks.create.b", { payload: "for one" });
      await board.ask("s2", "tasks.claim.b", { session_id: "s2.laptop" });
      await board.ask("ann", "tasks.requeue.b");
      await board.ask("ann", "tasks.update.b", { payload: "for another" });
      await board.ask("s2", "tasks.claim.a", { session_id: "s2" });
      await board.ask("s2", "tasks.release.a", { session_id: "s2", status: "complete" });
      // The worker has sent the messages before the replies, on the same connection.
      for (const connection of connections) await connection.flush();
      const ofBoth = ["task-updates.a task_claimed mine", "task-updates.a task_completed mine"];
      assert.deepEqual(toFirst, ["task-updates.a task_created mine", ...ofBoth]);
      assert.deepEqual(toSecond, [
        "task-updates.b task_claimed for one",
        "task-updates.b task_requeued null",
        ...ofBoth,
      ]);
    });

    it("notices at once that its claim was cancelled or taken back", async () => {
      await using board = await Board.start(visibility);
      const claims = (await board.library("s1")).claims({ session: "s1" });
      for (const [operation, code] of [
        ["cancel", "not_available"],
        ["requeue", "lease_lost"],
      ] as const) {
        await board.ask("ann", `tasks.create.${operation}`);
        const claim = (await claims.next()).value as Claim;
        const aborted = once(claim.signal, "abort", { signal: AbortSignal.timeout(SOON_MS) });
        await board.ask("ann", `tasks.${operation}.${operation}`);
        await aborted;
        assert.equal((claim.signal.reason as TaskError).code, code);
        await claim.release();
      }
      await claims.return();
    });

    it("learns at once from a subscription what becomes of the tasks that it created", async () => {
      await using board = await Board.start(visibility);
      const library = await board.library("s1");
      const seen = new ObservedUpdates();
      await library.subscribeTaskUpdates(seen.add);
      await board.ask("ann", "tasks.create.other", { payload: "secret" });
      await board.ask("s1", "tasks.create.mine", { payload: "mine" });
      await board.ask("s2", "tasks.claim.mine", { session_id: "s2" });
      const began = performance.now();
      await board.ask("s2", "tasks.release.mine", { session_id: "s2", status: "complete" });
      await seen.untilSeen((one) => "task" in one && one.new_status === "complete", "the end");
      assert.ok(performance.now() - began < SOON_MS);
      const told = seen.updates.map(({ type, task }) => `${type} ${String(task.payload)}`);
      const own = ["task_created mine", "task_claimed mine", "task_completed mine"];
      assert.deepEqual(told, visibility === "own" ? own : ["task_created null", ...own]);
      assert.ok(seen.updates.every((update) => !update.transitions_missing));
    });
  });
}
