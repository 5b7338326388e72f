import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LiveChange } from "../../src/client/task-update.ts";
import { compileFilter } from "../../src/client/update-filter.ts";
import { type ReadChanges, UpdateSubscription } from "../../src/client/update-subscription.ts";
import type { Reply } from "../../src/protocol/operations.ts";
import { ObservedUpdates } from "../support/observed-updates.ts";

type Page = Reply<"tasks.changes">;

/** A subscription whose pages the test answers, one after the other. */
function subscribe(): Subscribed {
  const seen = new ObservedUpdates();
  const asked: Asked[] = [];
  const readChanges: ReadChanges = (since, signal) =>
    new Promise((answer, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
      asked.push({ since, signal, answer });
    });
  const logged: string[] = [];
  const log = (message: string): void => {
    logged.push(message);
  };
  const subscription = new UpdateSubscription(
    "1",
    0,
    { callback: seen.add, onRemoved: seen.add, filter: compileFilter({}) },
    readChanges,
    { debug: log, warn: log, error: log },
  );
  subscription.start();
  return { subscription, seen, asked, logged };
}

interface Asked {
  readonly since: number;
  readonly signal: AbortSignal;
  readonly answer: (page: Page | number) => void;
}

interface Subscribed {
  readonly subscription: UpdateSubscription;
  readonly seen: ObservedUpdates;
  readonly asked: Asked[];
  readonly logged: string[];
}

function live(revision: number): LiveChange {
  const text = JSON.stringify({ title: `revision ${revision}` });
  return new LiveChange({ taskId: `task-${revision}`, revision, writtenAt: 0, text });
}

function page(revisions: readonly number[], lastRevision: number, more = false): Page {
  const changes = revisions.map((revision) => {
    const { task_id, task } = live(revision);
    return { task_id, revision, task };
  });
  // Without the fields that the subscription does not read.
  return { ok: true, changes, last_revision: lastRevision, has_more: more } as unknown as Page;
}

/** Resolves when everything is done that needs no further event. */
function drain(): Promise<void> {
  return new Promise(setImmediate);
}

describe("a subscription of an agent that does not see all tasks", () => {
  it("takes the revisions of others neither for losses nor for removals", async () => {
    const { subscription, seen, asked } = subscribe();
    const hidden = (revision: number) => ({ revision, task: null });
    await drain();
    const first = page([2], 2, true);
    asked[0]?.answer({ ...first, changes: [hidden(1), ...first.changes] });
    await drain();
    assert.deepEqual(
      asked.map(({ since }) => since),
      [0, 2],
    );
    const second = page([4], 5);
    asked[1]?.answer({ ...second, changes: [hidden(3), ...second.changes, hidden(5)] });
    await drain();
    // It is live again after the last revision, which was hidden.
    subscription.offer(live(6));
    await drain();
    assert.deepEqual(seen.revisions, [2, 4, 6]);
    assert.deepEqual(seen.removals, []);
    assert.ok(seen.updates.every((update) => !update.transitions_missing));
    assert.equal(asked.length, 2);
  });
});

describe("a subscription that catches up", () => {
  it("continues live with the messages that have arrived while it read the last page", async () => {
    const { subscription, seen, asked } = subscribe();
    await drain();
    for (const revision of [2, 3, 4, 5]) subscription.offer(live(revision));
    asked[0]?.answer(page([1, 2, 3], 3));
    await drain();
    subscription.offer(live(6));
    assert.deepEqual(seen.revisions, [1, 2, 3, 4, 5, 6]);
    assert.equal(asked.length, 1);
  });

  it("reads another page if those messages do not continue it", async () => {
    const { subscription, seen, asked } = subscribe();
    await drain();
    subscription.offer(live(5));
    asked[0]?.answer(page([1, 2, 3], 3));
    await drain();
    assert.deepEqual(seen.revisions, [1, 2, 3]);
    assert.equal(asked[1]?.since, 3);
    asked[1].answer(page([4, 5], 5));
    await drain();
    assert.deepEqual(seen.revisions, [1, 2, 3, 4, 5]);
    assert.ok(seen.updates.every((update) => !update.transitions_missing));
  });

  it("keeps a limited number of those messages, and reads the rest", async () => {
    const { subscription, seen, asked } = subscribe();
    await drain();
    for (let revision = 2; revision <= 3_000; revision++) subscription.offer(live(revision));
    asked[0]?.answer(page([1], 1));
    await drain();
    assert.deepEqual(seen.revisions, [1]);
    assert.equal(asked[1]?.since, 1);
  });

  it("requests a page again at once after a reconnect, because its answer may never come", async () => {
    const { subscription, seen, asked, logged } = subscribe();
    await drain();
    subscription.verify();
    await drain();
    assert.equal(asked[0]?.signal.aborted, true);
    assert.equal(asked[1]?.since, 0);
    // Too late: it is ignored.
    asked[0].answer(page([1], 1));
    await drain();
    assert.deepEqual(seen.revisions, []);
    asked[1].answer(page([1], 1));
    await drain();
    assert.deepEqual(seen.revisions, [1]);
    assert.deepEqual(logged, []);
  });

  it("requests nothing more when it is stopped", async () => {
    const { subscription, seen, asked, logged } = subscribe();
    await drain();
    subscription.stop();
    asked[0]?.answer(page([1], 2, true));
    subscription.offer(live(1));
    subscription.verify();
    await drain();
    assert.deepEqual([seen.revisions, asked.length, logged], [[], 1, []]);
  });
});

describe("a subscription that is up to date", () => {
  it("reads what it has missed when the next message shows a gap", async () => {
    const { subscription, seen, asked } = subscribe();
    await drain();
    asked[0]?.answer(page([], 0));
    await drain();
    subscription.offer(live(1));
    subscription.offer(live(3));
    subscription.offer(live(4));
    await drain();
    assert.deepEqual(seen.revisions, [1]);
    assert.equal(asked[1]?.since, 1);
    asked[1].answer(page([2, 3, 4], 4));
    await drain();
    assert.deepEqual(seen.revisions, [1, 2, 3, 4]);
  });

  it("reports missing transitions where revisions are missing, also at the end", async () => {
    const { subscription, seen, asked } = subscribe();
    await drain();
    // Revision 4 was a marker that has expired.
    asked[0]?.answer(page([1, 3], 4));
    await drain();
    subscription.offer(live(5));
    subscription.offer(live(6));
    assert.deepEqual(
      seen.updates.map((update) => [update.revision, update.transitions_missing]),
      [
        [1, false],
        [3, true],
        [5, true],
        [6, false],
      ],
    );
  });

  it("reads a page when revisions count from 1 again, and begins again", async () => {
    const { subscription, seen, asked } = subscribe();
    await drain();
    asked[0]?.answer(page([1, 2, 3], 3));
    await drain();
    subscription.offer(live(1));
    await drain();
    asked[1]?.answer(page([1], 1));
    await drain();
    asked[2]?.answer(page([1], 1));
    await drain();
    assert.deepEqual(
      asked.map(({ since }) => since),
      [0, 3, 0],
    );
    assert.deepEqual(seen.revisions, [1, 2, 3, 1]);
    assert.equal(seen.updates.at(-1)?.transitions_missing, true);
  });
});
