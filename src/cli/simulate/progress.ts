/** Shows the progress of a simulation: as a bar on a terminal, as lines elsewhere. */
import { Presets, SingleBar } from "cli-progress";
import type { Progress } from "../../simulation/run.ts";

export interface ProgressDisplay {
  show(progress: Progress): void;
  stop(): void;
}

/** The time between two lines if there is no terminal, in milliseconds. */
const LINE_INTERVAL_MS = 1_000;

/** Progress goes to stderr, because stdout has the summary only. */
export function createProgressDisplay(
  stream: NodeJS.WriteStream = process.stderr,
): ProgressDisplay {
  return stream.isTTY ? createBar(stream) : createLines(stream);
}

function createBar(stream: NodeJS.WriteStream): ProgressDisplay {
  const format =
    "{bar} {value}/{total} complete | {claimed} claimed | {available} available | {blocked} blocked";
  const bar = new SingleBar({ format, stream, hideCursor: true }, Presets.shades_classic);
  let isStarted = false;
  return {
    show({ total, complete, ...counts }) {
      if (isStarted) bar.update(complete, counts);
      else bar.start(total, complete, counts);
      isStarted = true;
    },
    stop() {
      if (isStarted) bar.stop();
    },
  };
}

function createLines(stream: NodeJS.WriteStream): ProgressDisplay {
  let last: { readonly line: string; readonly at: number } | null = null;
  return {
    show({ total, complete, claimed, available, blocked }) {
      const line =
        `${complete}/${total} complete, ${claimed} claimed, ` +
        `${available} available, ${blocked} blocked`;
      const at = performance.now();
      const isDue = last === null || complete === total || at - last.at >= LINE_INTERVAL_MS;
      if (!isDue || line === last?.line) return;
      last = { line, at };
      stream.write(`${line}\n`);
    },
    stop() {
      // Nothing to restore, because each line is complete.
    },
  };
}
