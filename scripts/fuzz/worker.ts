/**
 * A worker in a process of its own, which `target.ts` starts with `--expose-gc`, the URL of the NATS server, and
 * settings as JSON.
 */
import { startApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config.ts";
import { argumentsFromParent, serve } from "../lab/child.ts";
import { FactCounter } from "./facts.ts";

const [server = "", settings = "{}"] = argumentsFromParent("npm run fuzz");
const counter = new FactCounter();
// No task is removed, and nothing else happens by itself.
const quiet = { workers: 1, "metrics.enabled": false, retention_seconds: 0 };
const given = JSON.parse(settings) as Readonly<Record<string, string>>;
const overrides = { ...quiet, ...given, "nats.servers": [server] };
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
