import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatTable, growing, renderReport, summary } from "../../scripts/soak/report.ts";
import type { Result } from "../../scripts/soak/run.ts";
import type { Series } from "../../scripts/soak/series.ts";
import { judge } from "../../scripts/soak/verdict.ts";

const memory = { title: "Resident memory", unit: "MiB" };
const open = { title: "Open descriptors", unit: "" };
const phases = {
  quietBefore: { from: 0, to: 10 },
  load: { from: 10, to: 20 },
  quietAfter: { from: 20, to: 30 },
};

function rising(name: string, group: Series["group"], rule: Series["rule"], by: number): Series {
  const points = Array.from({ length: 31 }, (_, at) => [at, 20 + by * at] as const);
  return { name, group, rule, points, births: [] };
}

function resultOf(series: readonly Series[]): Result {
  const faults = [{ at: 12, name: "kill <a> worker" }];
  return { series, phases, judgements: judge(series, phases), faults };
}

const RESULT = resultOf([
  rising("w1", memory, { kind: "steady", noise: 1 }, 1),
  rising("w1", open, { kind: "returns", slack: 2 }, 1),
  rising("w2", open, { kind: "returns", slack: 2 }, 0),
]);
const FACTS = {
  command: "npm run soak -- --seed 7",
  versions: { NATS: "nats-server: v2.12.0" },
  startedAt: new Date(0),
};

describe("the report of a soak run", () => {
  it("names the series that grow", () => {
    assert.deepEqual(
      growing(RESULT).map(({ series }) => series.name),
      ["w1"],
    );
    assert.match(summary(RESULT), /1 faults, 3 series judged.*what grows: Open descriptors: w1$/);
    assert.match(summary(resultOf([])), /nothing grows$/);
  });

  it("has a row for each judged series", () => {
    const rows = formatTable(RESULT).split("\n");
    assert.equal(rows.length, 4);
    assert.match(rows[1] ?? "", /^Resident memory: w1 .*steady +not judged$/);
    assert.match(rows[2] ?? "", /^Open descriptors: w1 +25 +45 +– +returns +grows$/);
    assert.match(rows[3] ?? "", /^Open descriptors: w2 +20 +20 +– +returns +ok$/);
  });

  it("is one page with a chart of each group, the verdict, and how to repeat it", () => {
    const page = renderReport(RESULT, FACTS);
    assert.equal(page.match(/<svg /g)?.length, 2);
    assert.match(page, /<tr class="grows"><td>Open descriptors: w1<\/td>/);
    assert.match(page, /npm run soak -- --seed 7/);
    assert.match(page, /nats-server: v2\.12\.0/);
    assert.ok(page.includes("kill &lt;a&gt; worker"));
    assert.ok(!/\b(?:src|href)=/.test(page), "it needs something else");
  });

  it("contains the measured values for programs", () => {
    const [, text = ""] = /id="series">(.*)<\/script>/.exec(renderReport(RESULT, FACTS)) ?? [];
    const data = JSON.parse(text) as { name: string; points: number[][] }[];
    assert.equal(data.length, 3);
    assert.deepEqual(data[1]?.points[30], [30, 50]);
  });
});
