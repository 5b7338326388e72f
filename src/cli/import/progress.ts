/** Shows on a terminal how far an import is. Elsewhere, a line now and then. */
import { Presets, SingleBar } from "cli-progress";
import { printError } from "../shared/output.ts";

export interface ImportProgress {
  show(count: number): void;
  stop(): void;
}

/** The time between two lines if there is no terminal, in milliseconds. */
const LINE_INTERVAL_MS = 2_000;

export function createProgress(total: number, isQuiet: boolean): ImportProgress {
  if (isQuiet) return { show: () => undefined, stop: () => undefined };
  const { stderr } = process;
  return stderr.isTTY ? createBar(total, stderr) : createLines(total);
}

function createBar(total: number, stream: NodeJS.WriteStream): ImportProgress {
  const format = "{bar} {value}/{total} tasks | {eta_formatted} left";
  const bar = new SingleBar(
    { format, stream, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return {
    show: (count) => {
      bar.update(count);
    },
    stop: () => {
      bar.stop();
    },
  };
}

function createLines(total: number): ImportProgress {
  let last = performance.now();
  return {
    show(count) {
      const now = performance.now();
      if (now - last < LINE_INTERVAL_MS) return;
      last = now;
      printError(`imported ${count} of ${total} tasks`);
    },
    // Each line is complete.
    stop: () => undefined,
  };
}
