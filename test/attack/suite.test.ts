/** An attack on a real coordinator: the suite finds that a limit holds, and fails if it is too high. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Build } from "../../scripts/attack/build.ts";
import { isFailure } from "../../scripts/attack/report.ts";
import type { Row } from "../../scripts/attack/row.ts";
import { ROWS } from "../../scripts/attack/rows.ts";
import { type RowResult, runRow } from "../../scripts/attack/run-row.ts";
import { OPEN } from "../../scripts/attack/set-up.ts";
import { serverBinary } from "../support/nats-server.ts";
import { TempFolder } from "../support/temp-folder.ts";

function rowOf(name: string): Row {
  return ROWS.find((row) => row.name === name) ?? assert.fail();
}

const LIMIT = "limits.lease_seconds";

async function attackWith(row: Row, settings: Row["settings"], ms: number): Promise<RowResult> {
  await using folder = await TempFolder.create();
  const build = await Build.open(null);
  const place = { build, setUp: OPEN, binary: await serverBinary(), folder: folder.path };
  const attacked = { ...row, settings: { ...row.settings, ...settings } };
  return await runRow(attacked, { ...place, short: true, untimed: true, ms });
}

function isHeld({ findings }: RowResult): boolean {
  const finding = findings.find(({ promise }) => promise.includes(LIMIT));
  return finding?.holds ?? assert.fail();
}

describe("an attack by many waiters", () => {
  const row = rowOf("many-waiters");
  const ms = 4_000;

  it("gets no lease that is longer than the limit", async () => {
    assert.ok(isHeld(await attackWith(row, {}, ms)));
  });

  it("is a failure if the limit is too high to matter", async () => {
    const result = await attackWith(row, { [LIMIT]: 86_400 }, ms);
    assert.ok(!isHeld(result));
    assert.ok(isFailure(result));
  });
});

describe("an attack on what agents see of each other", () => {
  it("finds each kind of leak where everyone sees everything, which is not promised", async () => {
    const result = await attackWith(rowOf("visibility-own"), {}, 2_000);
    assert.deepEqual(Object.keys(result.attack.leaks).sort(), [
      "content",
      "definition",
      "existence",
      "reach",
    ]);
    assert.ok(result.findings.filter(({ holds }) => !holds).length >= 4);
    assert.ok(!isFailure(result));
  });
});
