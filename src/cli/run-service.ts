/** Runs something that serves until it is told to stop: parts start in order and stop in reverse. */
import { printError } from "./output.ts";

export interface Part {
  stop(): Promise<void>;
  /** Rejects if the part ends without being asked to. */
  readonly failed?: Promise<never>;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Resolves when everything is stopped after SIGINT, SIGTERM or SIGHUP; a second signal exits at once.
 *
 * @param start is given a function to hand over each part as soon as it runs
 * @throws what `start` or a part throws, after the parts that ran are stopped
 */
export async function runService(
  start: (started: (part: Part) => void) => Promise<void>,
): Promise<void> {
  const parts: Part[] = [];
  const failures: Promise<never>[] = [];
  const signals = listenForSignals();
  try {
    // A signal while parts are starting counts when they have started: none is left behind.
    await start((part) => {
      parts.push(part);
      if (part.failed !== undefined) {
        // Looked at below; until then a failure must not end the process.
        part.failed.catch(() => undefined);
        failures.push(part.failed);
      }
    });
    await Promise.race([signals.first, ...failures]);
  } finally {
    for (const part of parts.reverse()) await stopPart(part);
    signals.ignore();
  }
}

/** A part that cannot stop must not keep the others from it. */
async function stopPart(part: Part): Promise<void> {
  try {
    await part.stop();
  } catch (error) {
    printError(`while stopping: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function listenForSignals(): { readonly first: Promise<void>; ignore(): void } {
  let received = false;
  let resolve: () => void;
  const first = new Promise<void>((done) => {
    resolve = done;
  });
  const listener = (): void => {
    if (received) {
      printError("stopped at once");
      process.exit(1);
    }
    received = true;
    printError("stopping ... (once more: at once)");
    resolve();
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    first,
    ignore: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
