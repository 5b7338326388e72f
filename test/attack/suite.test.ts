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

const row = ROWS.find(({ name }) => name === "many-waiters") ?? assert.fail();
const LIMIT = "limits.lease_seconds";

async function attackWith(settings: Row["settings"]): Promise<RowResult> {
  await using folder = await TempFolder.create();
  const build = await Build.open(null);
  const place = { build, setUp: OPEN, binary: await serverBinary(), folder: folder.path };
  const attacked = { ...row, settings: { ...row.settings, ...settings } };
  return await runRow(attacked, { ...place, short: true, untimed: true, ms: 4_000 });
}

function isHeld({ findings }: RowResult): boolean {
  const finding = findings.find(({ promise }) => promise.includes(LIMIT));
  return finding?.holds ?? assert.fail();
}

describe("an attack by many waiters", () => {
  it("gets no lease that is longer than the limit", async () => {
    assert.ok(isHeld(await attackWith({})));
  });

  it("is a failure if the limit is too high to matter", async () => {
    const result = await attackWith({ [LIMIT]: 86_400 });
    assert.ok(!isHeld(result));
    assert.ok(isFailure(result));
  });
});
