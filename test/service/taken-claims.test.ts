import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TakenClaims } from "../../src/service/taken-claims.ts";

describe("the claims that sessions have lost", () => {
  it("have a limit for all sessions of a name, whichever sessions these are", () => {
    const taken = new TakenClaims(3);
    for (let i = 0; i < 10; i++) taken.note(`s1.${i % 5}`, `t${i}`, "lost");
    const sizes = [0, 1, 2, 3, 4].map((i) => taken.take(`s1.${i}`).size);
    assert.deepEqual(sizes, [1, 1, 1, 0, 0]);
  });

  it("leave room for those of others, and for others once they are told or held again", () => {
    const taken = new TakenClaims(2);
    taken.note("s1.a", "t1", "lost");
    taken.note("s1.a", "t2", "lost");
    // Known already.
    taken.note("s1.a", "t2", "cancelled");
    taken.note("s1.b", "t3", "lost");
    taken.note("s10", "t4", "replaced");
    assert.deepEqual([...taken.take("s10")], [["t4", "replaced"]]);
    taken.delete("s1.a", "t1");
    taken.delete("s1.a", "t1");
    taken.note("s1.b", "t3", "lost");
    taken.note("s1.b", "t5", "lost");
    assert.deepEqual([...taken.take("s1.b")], [["t3", "lost"]]);
    assert.deepEqual([...taken.take("s1.a")], [["t2", "cancelled"]]);
    assert.equal(taken.take("s1.a").size, 0);
    taken.note("s1", "t6", "lost");
    taken.note("s1", "t7", "lost");
    assert.equal(taken.take("s1").size, 2);
  });
});
