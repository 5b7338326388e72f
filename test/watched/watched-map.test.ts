/** The map that a watch keeps up to date: examples, and random sequences compared with a bucket. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { WatchedMap } from "../../src/watched/watched-map.ts";

interface Value {
  readonly revision: number;
  readonly owner: string | null;
  readonly tags: readonly string[];
}

type Watched = WatchedMap<Value, "owners" | "tags", string>;

function newMap(): Watched {
  return new WatchedMap({ owners: ({ owner }) => owner, tags: ({ tags }) => tags });
}

/** A map whose watch has delivered an empty bucket. */
function currentMap(): Watched {
  const map = newMap();
  map.restarted();
  map.current();
  return map;
}

function value(revision: number, owner: string | null = null, tags: string[] = []): Value {
  return { revision, owner, tags };
}

describe("a watched map", () => {
  it("lists keys in its indexes under one name, several, or none", () => {
    const map = currentMap();
    map.deliver("a", 1, value(1, "alice", ["x", "y"]));
    map.deliver("b", 2, value(2, null, ["y"]));
    assert.deepEqual([...map.index("owners").get("alice")], ["a"]);
    assert.deepEqual([...map.index("tags").get("y")], ["a", "b"]);

    map.deliver("a", 3, value(3, "bob", ["x"]));
    map.deliver("b", 4, null);
    assert.equal(map.index("owners").get("alice").size, 0);
    assert.deepEqual([...map.index("owners").get("bob")], ["a"]);
    assert.deepEqual([...map.index("tags").get("x")], ["a"]);
    assert.equal(map.index("tags").get("y").size, 0);
  });

  it("calls its listeners after all indexes have a change, with the entry that the watch delivered", () => {
    const map = currentMap();
    const told: unknown[] = [];
    map.onChange((key, before, after, entry) => {
      const listed = after === null ? [] : [...map.index("owners").get(after.owner ?? "")];
      told.push([key, before?.revision, after?.revision, entry, listed, map.size]);
    });
    map.apply("a", value(1, "alice"));
    map.deliver("a", 2, value(2, "bob"), "second");
    map.deliver("a", 3, null, "third");
    map.deliver("a", 4, null, "not there anyway");
    assert.deepEqual(told, [
      ["a", undefined, 1, undefined, ["a"], 1],
      ["a", 1, 2, "second", ["a"], 1],
      ["a", 2, undefined, "third", [], 0],
    ]);
  });

  it("takes in its own write only if it is newer than the known value and the position of the watch", () => {
    const map = currentMap();
    assert.equal(map.apply("a", value(5)), true);
    assert.equal(map.apply("a", value(5)), false);
    assert.equal(map.apply("a", value(4)), false);
    map.deliver("b", 9, null);
    assert.equal(map.apply("c", value(8)), false);
    assert.deepEqual([map.size, map.get("a")?.revision], [1, 5]);
  });

  it("counts an entry that it knows from its own write as delivered", () => {
    const map = currentMap();
    map.apply("a", value(5));
    assert.equal(map.isKnown("a", 4), false);
    assert.equal(map.isKnown("a", 5), true);
    assert.equal(map.position.revision, 5);
  });

  it("counts no entry as known while the watch begins, because the bucket may be another one", () => {
    const map = currentMap();
    map.deliver("a", 5, value(5, "alice"));
    map.restarted();
    assert.equal(map.isKnown("a", 5), false);
    map.deliver("a", 5, value(5, "restored"));
    map.current();
    assert.equal(map.get("a")?.owner, "restored");
    assert.equal(map.isKnown("a", 5), true);
  });

  it("keeps an entry that a listener adds while others are dropped", () => {
    const map = currentMap();
    map.deliver("gone", 1, value(1));
    map.restarted();
    map.onChange((key, _before, after) => {
      if (key === "gone" && after === null) map.apply("added", value(9));
    });
    map.current();
    assert.deepEqual([map.size, map.get("added")?.revision], [1, 9]);
  });

  it("drops an entry once, as it is then, if a listener changes others while they are dropped", () => {
    const map = currentMap();
    for (const [i, key] of ["a", "b", "c"].entries())
      map.deliver(key, i + 1, value(i + 1, "alice"));
    const told: unknown[] = [];
    map.onChange((key, before, after) => {
      told.push([key, before?.owner, after?.owner]);
      if (key !== "a") return;
      map.remove("b");
      map.apply("c", value(4, "bob"));
    });
    map.restarted();
    map.current();
    assert.deepEqual(told, [
      ["a", "alice", undefined],
      ["b", "alice", undefined],
      ["c", "alice", "bob"],
      ["c", "bob", undefined],
    ]);
    assert.equal(map.index("owners").get("bob").size, 0);
  });

  it("removes an entry without a change of the position", () => {
    const map = currentMap();
    map.deliver("a", 1, value(1, "alice"));
    map.remove("a");
    assert.deepEqual([map.size, map.index("owners").get("alice").size], [0, 0]);
    assert.equal(map.position.revision, 1);
  });

  it("replaces a value by another of the same revision without calling its listeners", () => {
    const map = currentMap();
    let changes = 0;
    map.onChange(() => changes++);
    map.deliver("a", 1, value(1, "alice"));
    map.amend("a", value(1, "alice", []));
    assert.deepEqual([changes, map.get("a")?.tags], [1, []]);
  });

  it("equals the bucket after any sequence of changes, and its indexes equal the map", () => {
    const key = fc.constantFrom("a", "b", "c", "d");
    const owner = fc.option(fc.constantFrom("alice", "bob"));
    const tags = fc.uniqueArray(fc.constantFrom("x", "y", "z"));
    const step = fc.oneof(
      fc.record({ kind: fc.constant("put" as const), key, owner, tags, isOwn: fc.boolean() }),
      fc.record({ kind: fc.constant("remove" as const), key }),
      fc.record({ kind: fc.constant("restart" as const), lost: fc.subarray(["a", "b", "c", "d"]) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = currentMap();
        const bucket = new Map<string, Value>();
        let revision = 0;
        for (const each of steps) {
          if (each.kind === "put") {
            const put = { revision: ++revision, owner: each.owner, tags: each.tags };
            bucket.set(each.key, put);
            if (each.isOwn) map.apply(each.key, put);
            if (!map.isKnown(each.key, revision)) map.deliver(each.key, revision, put);
          } else if (each.kind === "remove") {
            bucket.delete(each.key);
            map.deliver(each.key, ++revision, null);
          } else {
            map.restarted();
            for (const lost of each.lost) bucket.delete(lost);
            for (const [there, put] of bucket) map.deliver(there, put.revision, put);
            map.current();
          }
          assertSame(map, bucket);
        }
      }),
    );
  });
});

function assertSame(map: Watched, bucket: ReadonlyMap<string, Value>): void {
  assert.equal(map.size, bucket.size);
  for (const [key, put] of bucket) assert.deepEqual(map.get(key), put);
  const keysOf = (fits: (each: Value) => boolean): string[] =>
    [...bucket].flatMap(([key, each]) => (fits(each) ? [key] : [])).sort();
  for (const name of ["alice", "bob"]) {
    const expected = keysOf(({ owner }) => owner === name);
    assert.deepEqual([...map.index("owners").get(name)].sort(), expected);
  }
  for (const name of ["x", "y", "z"]) {
    const expected = keysOf(({ tags }) => tags.includes(name));
    assert.deepEqual([...map.index("tags").get(name)].sort(), expected);
  }
}
