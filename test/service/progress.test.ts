import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { Progress } from "../../src/service/progress.ts";

function storeAt(revision: number): { lastRevision(): Promise<number> } {
  return { lastRevision: () => Promise.resolve(revision) };
}

/** Whether the promise is still open after everything that could settle it now has run. */
async function isOpen(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  const tick = new Promise((resolve) => setImmediate(resolve, open));
  return (await Promise.race([promise, tick])) === open;
}

describe("the progress of a watch", () => {
  it("has caught up when it has delivered the last revision of its store", async () => {
    const progress = new Progress();
    progress.delivered(7);
    progress.current();
    await progress.catchUp(storeAt(7));
    await progress.catchUp(storeAt(3));
    assert.equal(progress.revision, 7);
  });

  it("waits for what is still to be delivered", async () => {
    const progress = new Progress();
    progress.current();
    const first = progress.catchUp(storeAt(2));
    const second = progress.catchUp(storeAt(3));
    assert.ok(await isOpen(first));
    progress.delivered(2);
    await first;
    assert.ok(await isOpen(second));
    progress.delivered(4);
    await second;
  });

  it("waits for the state from which the watch begins, whatever it has delivered of it", async () => {
    const progress = new Progress();
    assert.equal(progress.isCurrent, false);
    const waiting = progress.catchUp(storeAt(5));
    progress.delivered(5);
    assert.ok(await isOpen(waiting));
    progress.current();
    await waiting;
    assert.equal(progress.isCurrent, true);
  });

  it("tells each time that the watch is interrupted or current", () => {
    const progress = new Progress();
    const turns: boolean[] = [];
    progress.onTurn(() => turns.push(progress.isCurrent));
    progress.restarted();
    progress.delivered(1);
    progress.current();
    progress.delivered(2);
    progress.restarted();
    assert.deepEqual(turns, [false, true, false]);
  });

  it("waits anew after the watch has begun again", async () => {
    const progress = new Progress();
    progress.delivered(5);
    progress.current();
    progress.restarted();
    assert.deepEqual([progress.isCurrent, progress.revision], [false, 0]);
    const waiting = progress.catchUp(storeAt(5));
    assert.ok(await isOpen(waiting));
    progress.delivered(5);
    progress.current();
    await waiting;
  });

  it("lets those who wait for its beginning wait until that is delivered, each time anew", async () => {
    const progress = new Progress();
    const [one, two] = [progress.untilCurrent(), progress.untilCurrent()];
    progress.delivered(9);
    assert.ok(await isOpen(one));
    progress.current();
    await Promise.all([one, two, progress.untilCurrent()]);
    progress.restarted();
    const again = progress.untilCurrent();
    assert.ok(await isOpen(again));
    progress.current();
    await again;
  });

  it("gives up with an error that may be retried", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const progress = new Progress();
      progress.current();
      const waiting = progress.catchUp(storeAt(1));
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
