/** The figures of processes and servers: of this process, and of a worker that runs. */
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { describe, it } from "node:test";
import { fetchText, parseMetrics, parseNode } from "../../scripts/soak/http-figures.ts";
import { readProcess } from "../../scripts/lab/process-figures.ts";
import { SeriesStore } from "../../scripts/soak/series.ts";
import { startHttpEndpoint } from "../../src/telemetry/http-endpoint.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

const skip = process.platform === "linux" ? false : "there is no /proc";

describe("the figures of a process", { skip }, () => {
  it("agree with those of the system", () => {
    const before = readProcess(process.pid);
    const opened = Array.from({ length: 5 }, () => openSync(import.meta.filename, "r"));
    const after = readProcess(process.pid);
    for (const descriptor of opened) closeSync(descriptor);
    assert.ok(before !== null && after !== null);
    assert.equal(after.descriptors, before.descriptors + 5);
    const residentMiB = process.memoryUsage().rss / 1024 / 1024;
    assert.ok(Math.abs(after.residentMiB - residentMiB) < residentMiB / 4, `${after.residentMiB}`);
    const { user, system } = process.cpuUsage();
    assert.ok(Math.abs(after.cpuSeconds - (user + system) / 1e6) < 0.5, `${after.cpuSeconds}`);
  });

  it("are null for a process that is gone", () => {
    assert.equal(readProcess(2 ** 30), null);
  });
});

describe("the figures that are read by HTTP", () => {
  it("are read from the metrics of a worker", async () => {
    const metrics = createMetrics({
      tasksByStatus: () => ({ claimed: 1 }),
      busHealthy: () => true,
      waitingRequests: () => 7,
      sessions: () => 3,
    });
    const health = () => ({ connected: true, ready: true, detail: {} });
    const endpoint = await startHttpEndpoint({ host: "127.0.0.1", port: 0, metrics, health });
    const found = parseMetrics(await fetchText(`${endpoint.url}/metrics`, 5_000));
    await endpoint.stop();
    assert.equal(found.get("if_coordinator_waiting_requests"), 7);
    assert.equal(found.get("if_coordinator_sessions"), 3);
    assert.ok((found.get("nodejs_heap_size_used_bytes") ?? 0) > 1_000_000);
  });

  it("reject at once when the server is down", async () => {
    await assert.rejects(fetchText("http://127.0.0.1:1/metrics", 1_000));
  });

  it("are read from the monitoring of a server", () => {
    const text = JSON.stringify({ connections: 3, subscriptions: 90, mem: 5 });
    assert.deepEqual(parseNode(text), { connections: 3, subscriptions: 90 });
    assert.throws(() => parseNode("{}"));
  });
});

describe("the series of a run", () => {
  const group = { title: "Memory", unit: "MiB" };

  it("leave out what could not be measured", () => {
    const store = new SeriesStore();
    store.add({ name: "w1", group, rule: null }, 1, undefined);
    store.add({ name: "w1", group, rule: null }, 2, NaN);
    store.add({ name: "w1", group, rule: null }, 3, 4);
    assert.deepEqual(store.all[0]?.points, [[3, 4]]);
  });

  it("record when their process was restarted", () => {
    const store = new SeriesStore();
    for (const name of ["w1", "w1 sessions", "w11"]) store.add({ name, group, rule: null }, 0, 1);
    store.restarted("w1", 5);
    assert.deepEqual(
      store.all.map(({ births }) => births),
      [[5], [5], []],
    );
  });
});
