/**
 * A worker of a run, like that of `if-coordinator serve`. The process that started it can move its clock,
 * and is told the worker's id when it serves.
 */
import { startApp } from "../../src/app.ts";
import { runService } from "../../src/cli/shared/run-service.ts";
import { loadConfig } from "../../src/config.ts";

export interface ClockMessage {
  readonly clockOffsetMs: number;
}

let offsetMs = 0;
process.on("message", ({ clockOffsetMs }: ClockMessage) => {
  offsetMs = clockOffsetMs;
});
const clock = { now: () => Date.now() + offsetMs };

try {
  await runService({ startedByNpm: false }, async (started, signal) => {
    const app = await startApp(loadConfig(), { clock, signal });
    started(app);
    process.send?.(app.workerIds[0]);
  });
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
// The IPC channel would keep the process alive.
if (process.connected) process.disconnect();
