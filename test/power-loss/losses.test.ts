import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lossesIn } from "../../scripts/power-loss/losses.ts";
import type { Acknowledged } from "../../scripts/power-loss/writer.ts";
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import { recordedEntry } from "../history/recorded-entry.ts";
import { claimedTask } from "../task/sample-task.ts";

const LOST_AT = 10_000;

function claim(taskId: string, attempt: number, revision: number, at: number): Acknowledged {
  return { kind: "claim", taskId, attempt, revision, at, status: "claimed", holder: "s1" };
}

function entry({ taskId, attempt, revision }: Acknowledged): RecordedEntry {
  const task = claimedTask({ taskId, attempt, claimedBy: "s1" });
  return recordedEntry({ taskId, revision, task });
}

describe("the losses of a run", () => {
  const first = claim("a", 1, 1, 7_000);
  const second = claim("b", 1, 2, 8_000);
  const third = claim("a", 2, 3, 9_000);

  it("are none if the bucket has all acknowledged writes", () => {
    const losses = lossesIn([first, second, third], [first, second, third].map(entry), LOST_AT);
    assert.deepEqual(losses, { lost: [], lostSeconds: 0, holes: 0, attemptsBack: new Map() });
  });

  it("are the missing writes, the age of the oldest, and the attempts that went back", () => {
    const losses = lossesIn([first, second, third], [entry(first)], LOST_AT);
    assert.deepEqual(losses.lost, [second, third]);
    assert.equal(losses.lostSeconds, 2);
    assert.equal(losses.holes, 0);
    assert.deepEqual(
      [...losses.attemptsBack],
      [
        ["a", 2],
        ["b", 1],
      ],
    );
  });

  it("count a hole where a later write was kept", () => {
    const losses = lossesIn([first, second, third], [first, third].map(entry), LOST_AT);
    assert.equal(losses.holes, 1);
  });

  it("are not mistaken for another write with the same revision", () => {
    const other = { ...third, taskId: "c" };
    const losses = lossesIn([first, third], [first, other].map(entry), LOST_AT);
    assert.deepEqual(losses.lost, [third]);
  });
});
