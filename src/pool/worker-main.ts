/** The program of a worker that runs in a process of its own. `worker-process.ts` starts and stops it. */
import type { App } from "../app.ts";
import type { Config } from "../config.ts";
import type { Fact } from "../service/ports.ts";
import { writeProcessEventsAsJson } from "../telemetry/json-line.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** Longer than the command waits before it ends this process. So it matters only if the command is dead. */
const STOP_TIMEOUT_MS = 35_000;
/** Time to write the last output. */
const EXIT_DELAY_MS = 1_000;

// Ctrl-C reaches this process too, but the command decides when a worker stops.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);

/** Aborts a start that is under way. */
const giveUp = new AbortController();
let starting: Promise<App | null> = Promise.resolve(null);

process.on("message", (message: ToWorker) => {
  if (message.kind === "start") starting = start(message.config);
  // If there is no report, the command leaves this worker out. That is no reason to end.
  else report().catch(() => undefined);
});
process.on("disconnect", () => void stop());

async function start(config: Config): Promise<App | null> {
  try {
    if (config.log.format === "json") writeProcessEventsAsJson(() => process.exit(1));
    // It is imported here, because a signal during the import above the handlers would end this process.
    const { startApp } = await import("../app.ts");
    const app = await startApp(config, { signal: giveUp.signal, observe });
    app.failed.catch(sendFailure);
    const [workerId = ""] = app.workerIds;
    send({ kind: "started", workerId });
    return app;
  } catch (error) {
    sendFailure(error);
    return null;
  }
}

function observe(fact: Fact): void {
  if (fact.kind === "writes_refused") send({ kind: "fact", fact });
}

async function report(): Promise<void> {
  const app = await starting;
  if (app === null) return;
  send({ kind: "report", report: { health: app.health(), metrics: await app.metrics() } });
}

async function stop(): Promise<void> {
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  giveUp.abort();
  const app = await starting;
  await app?.stop();
  // Something half open, such as an aborted attempt to connect, must not keep the process alive.
  setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
}

function sendFailure(error: unknown): void {
  send({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

function send(message: FromWorker): void {
  // If the command ends at this moment, the "disconnect" event of the channel follows.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
