/** A worker that lags behind: it receives the writes of others when the test says so. */
import type { Stores, WatchedTask } from "../../src/service/ports.ts";
import { withFaults } from "./faulty-stores.ts";

export class HeldWatch {
  #isHeld = false;
  #deliveries: (() => void)[] = [];

  /** From now on, the entries of the watch on tasks are held back. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Delivers the entries that were held back, in order, and all later ones. */
  release(): void {
    this.#isHeld = false;
    const deliveries = this.#deliveries;
    this.#deliveries = [];
    for (const deliver of deliveries) deliver();
  }

  readonly wrapStores: (stores: Stores) => Stores = withFaults({
    tasks: {
      watch: (real) => (watch) =>
        real.watch({
          restarted: () => {
            watch.restarted();
          },
          entry: (entry: WatchedTask) => {
            const deliver = (): void => {
              watch.entry(entry);
            };
            if (this.#isHeld) this.#deliveries.push(deliver);
            else deliver();
          },
          current: () => {
            watch.current();
          },
        }),
    },
  });
}
