/** Runs something that serves until it is told to stop: parts start in order and stop in reverse. */
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import { printError } from "./output.ts";

export interface Part {
  stop(): Promise<void>;
  /** Rejects if the part ends without being asked to. */
  readonly failed?: Promise<never>;
}

/** Longer than nats-server is given before it is killed, so that it is not left behind. */
const STOP_TIMEOUT_MS = 30_000;
const PARENT_CHECK_MS = 250;
/** What a signal does to another process can be known before it has come here. */
const SIGNAL_LAG_MS = 100;
/** For the last words to be written. */
const EXIT_DELAY_MS = 1_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves when everything is stopped after SIGINT, SIGTERM or SIGHUP; a second signal exits at once.
 *
 * @param startedByNpm whether to stop as well when the parent process is gone
 * @param start is given a function to hand over each part as soon as it runs, and a signal that is
 *   aborted when it is to give up
 * @throws what `start` or a part throws before a signal comes, after the parts that ran are stopped
 */
export async function runService(
  { startedByNpm }: Pick<Config, "startedByNpm">,
  start: (started: (part: Part) => void, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const parts: Part[] = [];
  const failures: Promise<never>[] = [];
  const signals = listenForSignals();
  if (startedByNpm) watchParent(signals.stop);
  try {
    await start((part) => {
      parts.push(part);
      if (part.failed !== undefined) {
        // Looked at below; until then a failure must not end the process.
        part.failed.catch(() => undefined);
        failures.push(part.failed);
      }
    }, signals.aborted);
    await Promise.race([signals.first, ...failures]);
  } catch (error) {
    // Ctrl-C may be the reason, as it ends processes that have only begun. Then it is no failure.
    await delay(SIGNAL_LAG_MS);
    if (!signals.received()) throw error;
  } finally {
    for (const part of parts.reverse()) await stopPart(part);
    signals.ignore();
  }
}

/** A part that cannot stop must not keep the others, nor the process, from it. */
async function stopPart(part: Part): Promise<void> {
  const limit = new AbortController();
  const timeout = delay(STOP_TIMEOUT_MS, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`a part did not stop within ${STOP_TIMEOUT_MS / 1000} s`);
  });
  // Aborted when the part was in time.
  timeout.catch(() => undefined);
  try {
    await Promise.race([part.stop(), timeout]);
  } catch (error) {
    printError(
      `while stopping: ${error instanceof Error ? error.message : String(error)}`,
      "error",
    );
    process.exitCode = 1;
    // What the part left behind would keep the process alive.
    setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
  } finally {
    limit.abort();
  }
}

interface StopSignals {
  readonly first: Promise<void>;
  /** By the first one. */
  readonly aborted: AbortSignal;
  received(): boolean;
  /** As if a signal had come. */
  readonly stop: () => void;
  ignore(): void;
}

function listenForSignals(): StopSignals {
  let received = false;
  let resolve: () => void;
  const first = new Promise<void>((done) => {
    resolve = done;
  });
  const abort = new AbortController();
  const stop = (): void => {
    if (received) return;
    received = true;
    printError("stopping ... (press Ctrl-C again to stop at once)");
    abort.abort();
    resolve();
  };
  const listener = (): void => {
    if (received) {
      printError("stopped at once");
      process.exit(1);
    }
    stop();
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    first,
    aborted: abort.signal,
    received: () => received,
    stop,
    ignore: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}

/** npm hands a signal to the shell between us, which may end without passing it on. */
function watchParent(gone: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) gone();
  }, PARENT_CHECK_MS).unref();
}
