import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { METRICS } from "../../src/telemetry/metric-table.ts";
import { read, section, table } from "../support/markdown.ts";

const DOCUMENT = read("docs/metrics.md");

describe("docs/metrics.md", () => {
  it("lists every metric with its type, labels and meaning", () => {
    assert.deepEqual(
      table(section(DOCUMENT, "Metrics of the coordinator"), "Metric"),
      Object.entries(METRICS).map(([name, { type, labels, help }]) => ({
        Metric: name,
        Type: type,
        Labels: labels.join(", "),
        Meaning: help,
      })),
    );
  });

  it("says of every gauge what becomes of it with several workers", () => {
    const words = { sum: "the sum", min: "the lowest", max: "the highest" };
    assert.deepEqual(
      table(section(DOCUMENT, "Several workers"), "Gauge"),
      Object.entries(METRICS).flatMap(([name, metric]) =>
        metric.type === "gauge"
          ? [{ Gauge: name, "Of several workers": words[metric.aggregator] }]
          : [],
      ),
    );
  });

  it("names no metric that there is not", () => {
    const named = [...DOCUMENT.matchAll(/if_coordinator_\w+/g)].map(([name]) => name);
    assert.deepEqual(
      named.filter((name) => !(name in METRICS)),
      [],
    );
  });
});
