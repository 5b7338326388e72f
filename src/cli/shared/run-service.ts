/** Runs a service until a signal stops it. Its parts start in order and stop in reverse. */
import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../../config.ts";
import { printError } from "./output.ts";

export interface Part {
  stop(): Promise<void>;
  /** Rejects if the part ends by itself. */
  readonly failed?: Promise<never>;
}

/** Longer than the time after which nats-server is killed, so that it is not left behind. */
const STOP_TIMEOUT_MS = 30_000;
/** A start that is under way has this time to give up after a signal. */
const GIVE_UP_MS = 5_000;
const PARENT_CHECK_MS = 250;
/** A signal can have ended another process before it arrives here. */
const SIGNAL_LAG_MS = 100;
/** Time to write the last output. */
const EXIT_DELAY_MS = 1_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves when everything has stopped after SIGINT, SIGTERM or SIGHUP. A second signal exits at once.
 *
 * @param startedByNpm whether to stop when the parent process has ended, too
 * @param start calls its first argument with each part that has started; it gives up when the signal is
 *   aborted
 * @throws what `start` or a part throws before a signal comes, after all parts have stopped
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
    const starting = start((part) => {
      parts.push(part);
      if (part.failed !== undefined) {
        // It is awaited below. Until then, an unobserved rejection must not end the process.
        part.failed.catch(() => undefined);
        failures.push(part.failed);
      }
    }, signals.aborted);
    await unlessStuck(starting, signals.first);
    await Promise.race([signals.first, ...failures]);
  } catch (error) {
    // Ctrl-C may be the reason, because it ends processes that have just begun. Then it is not a failure.
    await delay(SIGNAL_LAG_MS);
    if (!signals.received()) throw error;
  } finally {
    for (const part of parts.reverse()) await stopPart(part);
    signals.ignore();
  }
}

/** A start that does not give up after a signal, such as one that builds a nats-server, is left behind. */
async function unlessStuck(starting: Promise<void>, signaled: Promise<void>): Promise<void> {
  const stuck = signaled.then(() => delay(GIVE_UP_MS, "stuck", { ref: false }));
  if ((await Promise.race([starting, stuck])) !== "stuck") return;
  starting.catch(() => undefined);
  exitWithFailure(`the start did not give up within ${GIVE_UP_MS / 1000} s`);
}

/** A part that cannot stop must not keep the other parts or the process from stopping. */
async function stopPart(part: Part): Promise<void> {
  const limit = new AbortController();
  const timeout = delay(STOP_TIMEOUT_MS, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`a part did not stop within ${STOP_TIMEOUT_MS / 1000} s`);
  });
  // It is aborted when the part has stopped in time.
  timeout.catch(() => undefined);
  try {
    await Promise.race([part.stop(), timeout]);
  } catch (error) {
    exitWithFailure(error instanceof Error ? error.message : String(error));
  } finally {
    limit.abort();
  }
}

function exitWithFailure(problem: string): void {
  printError(`while stopping: ${problem}`, "error");
  process.exitCode = 1;
  // What was left behind would keep the process alive.
  setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
}

interface StopSignals {
  readonly first: Promise<void>;
  /** Aborted by the first signal. */
  readonly aborted: AbortSignal;
  received(): boolean;
  /** Does what a first signal does. */
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

/** npm sends a signal to the shell that has started this process. The shell may end without passing it on. */
function watchParent(gone: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) gone();
  }, PARENT_CHECK_MS).unref();
}
