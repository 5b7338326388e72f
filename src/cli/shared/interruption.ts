/** The signals that end a command which runs until it is stopped. */
import { EXIT, EXIT_OF_SIGNAL, type ExitCode } from "./exit-codes.ts";

type ExitOfSignal = Readonly<Partial<Record<NodeJS.Signals, ExitCode>>>;

/** A service that stops has done what it was asked for. */
export const STOPS_SERVICE: ExitOfSignal = {
  SIGINT: EXIT.done,
  SIGTERM: EXIT.done,
  SIGHUP: EXIT.done,
};

export class Interruption implements Disposable {
  /** Resolves at the first signal. At a second one, the process ends at once. */
  readonly happened: Promise<void>;
  readonly #listeners: [NodeJS.Signals, () => void][] = [];

  /** @param exitOfSignal the exit codes of the signals that count. Default: as a shell reports them */
  constructor(exitOfSignal: ExitOfSignal = EXIT_OF_SIGNAL) {
    this.happened = new Promise((resolve) => {
      for (const [signal, exitCode] of Object.entries(exitOfSignal)) {
        const listener = (): void => {
          process.exitCode = exitCode;
          resolve();
        };
        process.once(signal, listener);
        this.#listeners.push([signal as NodeJS.Signals, listener]);
      }
    });
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
  }
}
