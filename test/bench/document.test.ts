/** The table of contenders in docs/performance.md. The benchmark prints the same below each table. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { durabilityOf, NATS_DURABILITY, PEERS } from "../../bench/servers/peers.ts";

const DOCUMENT = fileURLToPath(new URL("../../../docs/performance.md", import.meta.url));

describe("docs/performance.md", () => {
  const nats = { title: "NATS and if-coordinator", note: "", durability: NATS_DURABILITY };
  const peers = PEERS.map((peer) => ({ ...peer, durability: durabilityOf(peer) }));
  for (const { title, note, durability } of [nats, ...peers]) {
    it(`says what the benchmark prints about ${title}`, async () => {
      const rows = (await readFile(DOCUMENT, "utf8")).split("\n");
      const facts = [title, durability.relaxed, durability.fsync, note];
      assert.ok(rows.some((row) => facts.every((fact) => row.includes(fact))));
    });
  }
});
