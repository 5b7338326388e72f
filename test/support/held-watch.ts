/** A worker that lags behind: what others write reaches it when the test says so. */
import type { Stores, TaskEntry } from "../../src/service/ports.ts";
import { withFaults } from "./faulty-stores.ts";

export class HeldWatch {
  #isHeld = false;
  #deliveries: (() => void)[] = [];

  /** From now on what the watch on tasks delivers is kept back. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Delivers what was kept back, in its order, and what comes from now on. */
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
          entry: (entry: TaskEntry) => {
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
