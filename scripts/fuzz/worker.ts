/**
 * A worker in a process of its own, as `run.ts` starts it: with the URL of the NATS server as argument,
 * and asked by messages between the processes. It has to run with `--expose-gc`.
 */
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { FactCounter, type FactCounts } from "./facts.ts";

export interface WorkerReport {
  readonly counts: FactCounts;
  /** Of what is alive, in bytes; measured only if asked for, since it takes a while. */
  readonly heap: number;
}

const [url = ""] = process.argv.slice(2);
const counter = new FactCounter();
const app = await startApp(
  loadConfig({ env: {}, overrides: { ...settings(), "nats.servers": [url] } }),
  { log: false, observe: counter.observe },
);
process.on("message", (question: "report" | "measure" | "stop") => {
  if (question === "stop") {
    void app.stop().then(() => {
      process.disconnect();
    });
    return;
  }
  if (question === "measure") globalThis.gc?.();
  const report: WorkerReport = { counts: counter.counts, heap: process.memoryUsage().heapUsed };
  process.send?.(report);
});
// Whoever has started it is gone: nobody would stop it.
process.once("disconnect", () => {
  process.exitCode = 0;
  void app.stop();
});
process.send?.("started");

/** Nothing happens by itself. */
function settings(): Record<string, number | boolean> {
  return { workers: 1, "metrics.enabled": false, retention_seconds: 0 };
}
