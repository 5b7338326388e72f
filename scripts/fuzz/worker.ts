/**
 * A worker in a process of its own, which `target.ts` starts with `--expose-gc` and the URL of the NATS
 * server.
 */
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { argumentsFromParent, serve } from "../lab/child.ts";
import { FactCounter } from "./facts.ts";

const servers = argumentsFromParent("npm run fuzz");
const counter = new FactCounter();
// No task is removed, and nothing else happens by itself.
const quiet = { workers: 1, "metrics.enabled": false, retention_seconds: 0 };
const overrides = { ...quiet, "nats.servers": servers };
const app = await startApp(loadConfig({ env: {}, overrides }), {
  log: false,
  observe: counter.observe,
});

const methods = {
  facts: () => counter.counts,
  /** The bytes of memory in use. */
  heap: () => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  },
};
export type WorkerMethods = typeof methods;

serve(methods, () => app.stop());
