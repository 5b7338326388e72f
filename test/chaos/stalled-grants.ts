/** A worker whose grants stall: it has decided to write a new lease, and the write waits for the test. */
import type { Stores } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";

export class StalledGrants {
  #goOn: () => void = () => undefined;
  readonly #gate = new Promise<void>((resolve) => (this.#goOn = resolve));
  readonly #listeners: ((taskId: string) => void)[] = [];

  /** Resolves when the grant of the task's lease has stalled. */
  stalled(taskId: string): Promise<void> {
    return new Promise((resolve) => {
      this.#listeners.push((stalled) => {
        if (stalled === taskId) resolve();
      });
    });
  }

  /** Lets all grants go on. */
  release(): void {
    this.#goOn();
  }

  readonly wrapStores: (stores: Stores) => Stores = withFaults({
    leases: {
      write: (real) => async (lease, revision) => {
        if (!lease.confirmed) {
          for (const listener of this.#listeners) listener(lease.taskId);
          await this.#gate;
        }
        return real.write(lease, revision);
      },
    },
  });
}
