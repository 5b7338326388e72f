import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Asked, Told } from "../../src/history/recorded-operation.ts";
import { Recording } from "../../src/history/recording.ts";
import { wronglyReplaced } from "../../src/history/replaced-sessions.ts";

const HOLDER = { sessionId: "s1", instance: "old", attempt: 1 };
const SEEN = { status: "claimed", claimedBy: "s1", attempt: 1 } as const;

/** `s1` claims from 1 to 2, and another process registers from 3 to 4. */
function replaced(): { recording: Recording; add: (asked: Asked, at: number) => void } {
  const recording = new Recording();
  const add = (asked: Asked, at: number): void => {
    const told: Told = { kind: "ok", seen: asked.kind === "claim" ? SEEN : null };
    const times = { invokedAt: at, returnedAt: at + 1 };
    recording.operations.push({ taskId: "t", client: "s1", op: { asked, told }, ...times });
  };
  add({ kind: "claim", sessionId: "s1", instance: "old", ttlSeconds: 1 }, 1);
  const registration = { sessionId: "s1", instance: "new", invokedAt: 3, returnedAt: 4 };
  recording.registrations.push(registration);
  return { recording, add };
}

describe("the verdict on sessions that were replaced", () => {
  it("finds a renewal and a release of the old process after the registration", () => {
    const { recording, add } = replaced();
    add({ kind: "renew", ...HOLDER }, 2.5);
    assert.deepEqual(wronglyReplaced(recording), []);
    add({ kind: "renew", ...HOLDER }, 5);
    add({ kind: "release", ...HOLDER, status: "complete", isDelayed: false }, 6);
    const problems = wronglyReplaced(recording).map(({ what }) => what);
    assert.deepEqual(problems, [
      "attempt 1 was renewed by a process of s1 that was replaced",
      "attempt 1 was released by a process of s1 that was replaced",
    ]);
  });

  it("accepts a repeated release, and one of the new process", () => {
    const { recording, add } = replaced();
    const release = { kind: "release", ...HOLDER, status: "complete", isDelayed: false } as const;
    add(release, 2);
    add(release, 6);
    add({ ...release, attempt: 2, instance: "new" }, 7);
    assert.deepEqual(wronglyReplaced(recording), []);
  });
});
