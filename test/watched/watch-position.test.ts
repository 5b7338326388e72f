import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { WatchPosition } from "../../src/watched/watch-position.ts";

function storeAt(revision: number): { lastRevision(): Promise<number> } {
  return { lastRevision: () => Promise.resolve(revision) };
}

/** Whether the promise is still open after all that could resolve it now has run. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  const tick = new Promise((resolve) => setImmediate(resolve, open));
  return (await Promise.race([promise, tick])) === open;
}

describe("the position of a watch", () => {
  it("has caught up when the watch has delivered the last revision of the store", async () => {
    const position = new WatchPosition();
    position.delivered(7);
    position.current();
    await position.catchUp(storeAt(7));
    await position.catchUp(storeAt(3));
    assert.equal(position.revision, 7);
  });

  it("waits until the missing revisions are delivered", async () => {
    const position = new WatchPosition();
    position.current();
    const first = position.catchUp(storeAt(2));
    const second = position.catchUp(storeAt(3));
    assert.ok(await isOpen(first));
    position.delivered(2);
    await first;
    assert.ok(await isOpen(second));
    position.delivered(4);
    await second;
  });

  it("waits for all of the state with which the watch begins", async () => {
    const position = new WatchPosition();
    assert.equal(position.isCurrent, false);
    const waiting = position.catchUp(storeAt(5));
    position.delivered(5);
    assert.ok(await isOpen(waiting));
    position.current();
    await waiting;
    assert.equal(position.isCurrent, true);
  });

  it("notifies its listeners each time the watch is interrupted or becomes current", () => {
    const position = new WatchPosition();
    const turns: boolean[] = [];
    position.onCurrentChange(() => turns.push(position.isCurrent));
    position.restarted();
    position.delivered(1);
    position.current();
    position.delivered(2);
    position.restarted();
    assert.deepEqual(turns, [false, true, false]);
  });

  it("waits again after the watch has begun again", async () => {
    const position = new WatchPosition();
    position.delivered(5);
    position.current();
    position.restarted();
    assert.deepEqual([position.isCurrent, position.revision], [false, 0]);
    const waiting = position.catchUp(storeAt(5));
    assert.ok(await isOpen(waiting));
    position.delivered(5);
    position.current();
    await waiting;
  });

  it("lets `untilCurrent` wait for the initial state, each time that the watch begins", async () => {
    const position = new WatchPosition();
    const [one, two] = [position.untilCurrent(), position.untilCurrent()];
    position.delivered(9);
    assert.ok(await isOpen(one));
    position.current();
    await Promise.all([one, two, position.untilCurrent()]);
    position.restarted();
    const again = position.untilCurrent();
    assert.ok(await isOpen(again));
    position.current();
    await again;
  });

  it("gives up with a retryable error", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const position = new WatchPosition();
      position.current();
      const waiting = position.catchUp(storeAt(1));
      assert.ok(await isOpen(waiting));
      mock.timers.tick(2_000);
      await assert.rejects(waiting, (error) => {
        assert.ok(error instanceof CoordinatorError);
        assert.deepEqual([error.code, error.retryable], ["unavailable", true]);
        return true;
      });
    } finally {
      mock.timers.reset();
    }
  });
});
