/** The proof that a run of `npm run fuzz` can fail: it must find the bug of each of these coordinators. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { findCulprit, type Search, shrink } from "../../scripts/fuzz/culprit.ts";
import { messages } from "../../scripts/fuzz/generator.ts";
import { runMutations } from "../../scripts/fuzz/mutation-run.ts";
import { runFuzz, type RunOptions } from "../../scripts/fuzz/run.ts";
import { DEADLINE_MS } from "../../scripts/fuzz/sender.ts";
import { ProcessTarget, type Target } from "../../scripts/fuzz/target.ts";
import { withFaults } from "../support/faulty-stores.ts";
import type { TestCoordinatorOptions } from "../support/test-coordinator.ts";
import { InProcessTarget } from "./in-process-target.ts";

type WrapStores = NonNullable<TestCoordinatorOptions["wrapStores"]>;

const OPTIONS = { seed: 7, messages: 500, deadlineMs: 1_000 };
const arbitrary = messages({ maxPayload: 1024 * 1024 });

/** Throws an unexpected error. */
const throwing = withFaults({
  tasks: {
    entriesAfter:
      (real) =>
      (revision, ...more) => {
        // A request for all changes names no task.
        if (more[1] !== undefined) throw new TypeError("planted");
        return real.entriesAfter(revision, ...more);
      },
  },
});

/** Writes the task that it reads. */
const writingReader = withFaults({
  tasks: {
    load: (real) => async (taskId) => {
      const entry = await real.load(taskId);
      if (taskId === "blocked" && entry !== null && "task" in entry) {
        await real.write(real.prepare(entry.task), entry.revision);
      }
      return entry;
    },
  },
});

/** Stores something else than the answer says. */
const careless = withFaults({
  tasks: {
    write:
      (real) =>
      ({ task }, revision) =>
        real.write(real.prepare({ ...task, tags: task.tags.slice(1) }), revision),
  },
});

async function whatIsFound(target: Target, more: Partial<RunOptions> = {}): Promise<string> {
  const { problems } = await runFuzz(target, arbitrary, { ...OPTIONS, ...more });
  return problems.map(({ what }) => what).join("\n");
}

async function whatIsFoundWith(wrapStores: WrapStores): Promise<string> {
  await using target = await InProcessTarget.start({ wrapStores });
  return await whatIsFound(target);
}

describe("a run of the fuzz", () => {
  it("finds an operation that answers twice", async () => {
    await using target = await InProcessTarget.start();
    // A second worker that is not in the queue group.
    target.connection.subscribe("tasks.stats", {
      callback: (_error, message) => {
        setTimeout(() => message.respond('{"ok":true}'), 10);
      },
    });
    // Either of the two answers can be the second one.
    assert.match(await whatIsFound(target), /^more than one answer: \{"ok":/m);
  });

  it("finds an operation that never answers", async () => {
    const end = new AbortController();
    const silent = withFaults({
      tasks: {
        entriesAfter:
          (real) =>
          async (...asked) => {
            await delay(60_000, undefined, { signal: end.signal }).catch(() => undefined);
            return real.entriesAfter(...asked);
          },
      },
    });
    await using target = await InProcessTarget.start({ wrapStores: silent });
    try {
      assert.match(await whatIsFound(target), /^0 of 1 answers$/m);
    } finally {
      end.abort();
    }
  });

  it("finds an operation that fails because of a defect", async () => {
    const found = await whatIsFoundWith(throwing);
    assert.match(found, /^answered .*"code":"internal".* instead of ok or not_found/m);
    assert.match(found, /^internal in tasks.history: TypeError: planted/m);
  });

  it("finds a read that writes", async () => {
    assert.match(await whatIsFoundWith(writingReader), /^a bucket changed:[^]*\$KV.tasks.blocked/m);
  });

  it("finds content that is not stored as it was sent", async () => {
    await using target = await InProcessTarget.start({ wrapStores: careless });
    const { problems } = await runMutations(target, OPTIONS);
    assert.match(problems.map(({ what }) => what).join("\n"), /^answered \{.*, stored \{/m);
  });

  it("finds a worker that has died", async () => {
    await using target = await ProcessTarget.start(1);
    const kill = async (): Promise<void> => {
      for (const pid of target.pids) process.kill(pid, "SIGKILL");
      const isThere = (): Promise<boolean> =>
        target.connection.request("tasks.stats", "", { timeout: 1_000 }).then(
          () => true,
          (error: unknown) => !String(error).includes("no responders"),
        );
      while (await isThere());
    };
    // On a slow machine, the run must not end before the worker does.
    const deadlineMs = DEADLINE_MS;
    const found = await whatIsFound(target, { messages: 1_500, progress: kill, deadlineMs });
    assert.match(found, /^a worker died \(SIGKILL\)$/m);
    assert.match(found, /^no worker listens$/m);
  });

  it("names the message that causes the problem, and the smallest one like it", async () => {
    const start = (): Promise<Target> => InProcessTarget.start({ wrapStores: writingReader });
    const search: Search = { ...OPTIONS, arbitrary, start };
    const culprit = await findCulprit(search, 0);
    assert.match(culprit?.what ?? "", /a bucket changed/);
    const smallest = await shrink(search, culprit?.number ?? 0);
    // The message names the task in its subject, or in an import.
    const { subject, payload } = smallest?.message ?? { subject: "", payload: new Uint8Array() };
    assert.match(`${subject} ${Buffer.from(payload).toString()}`, /\bblocked\b/);
    const size = smallest?.message.payload.length ?? Infinity;
    assert.ok(size <= (culprit?.message.payload.length ?? 0), `${size} bytes`);
    assert.equal(smallest?.message.headers, null);
  });
});
