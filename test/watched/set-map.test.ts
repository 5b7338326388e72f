import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SetMap } from "../../src/watched/set-map.ts";

describe("a map of sets", () => {
  it("lists each id of a key once", () => {
    const map = new SetMap();
    map.add("s1", "a");
    map.add("s1", "b");
    map.add("s1", "a");
    map.add("s2", "c");
    assert.deepEqual([...map.get("s1")], ["a", "b"]);
    assert.deepEqual([...map.get("s2")], ["c"]);
  });

  it("is empty for a key that is unknown or was removed", () => {
    const map = new SetMap();
    assert.equal(map.get("s1").size, 0);
    map.add("s1", "a");
    map.delete("s1", "a");
    assert.equal(map.get("s1").size, 0);
  });

  it("ignores the removal of an id that is not there", () => {
    const map = new SetMap();
    map.add("s1", "a");
    map.delete("s1", "b");
    map.delete("s2", "a");
    assert.deepEqual([...map.get("s1")], ["a"]);
    assert.equal(map.get("s2").size, 0);
  });
});
