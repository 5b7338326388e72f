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

  it("names no metric that there is not", () => {
    const named = [...DOCUMENT.matchAll(/if_coordinator_\w+/g)].map(([name]) => name);
    assert.deepEqual(
      named.filter((name) => !(name in METRICS)),
      [],
    );
  });
});
