/** The signals that end a command which runs until it is stopped. The exit code is that of a shell. */
import { EXIT_OF_SIGNAL } from "./exit-codes.ts";

export class Interruption implements Disposable {
  /** Resolves at the first signal. At a second one, the process ends at once. */
  readonly happened: Promise<void>;
  readonly #listeners: [NodeJS.Signals, () => void][] = [];

  constructor() {
    this.happened = new Promise((resolve) => {
      for (const [signal, exitCode] of Object.entries(EXIT_OF_SIGNAL)) {
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
