/** A worker that sees expired leases only when the test releases them. */
import type { LeaseEntry, Stores } from "../../src/service/ports.ts";
import { withFaults } from "./faulty-stores.ts";

export class HeldMarkers {
  #isHeld = true;
  #deliveries: (() => void)[] = [];
  readonly #listeners: ((taskId: string) => void)[] = [];

  /** Calls the listener with the task of each lease when the server reports that it has expired. */
  onMarker(listener: (taskId: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when the lease of the task has expired, held back or not. */
  marker(taskId: string): Promise<void> {
    return new Promise((resolve) => {
      this.onMarker((ended) => {
        if (ended === taskId) resolve();
      });
    });
  }

  /** Delivers the entries that were held back, and all later ones. */
  release(): void {
    this.#isHeld = false;
    for (const deliver of this.#deliveries) deliver();
    this.#deliveries = [];
  }

  readonly wrapStores: (stores: Stores) => Stores = withFaults({
    leases: {
      watch: (real) => (watch) =>
        real.watch({
          restarted: () => {
            watch.restarted();
          },
          entry: (entry: LeaseEntry) => {
            const isMarker = entry.kind === "ended" && entry.how === "expired";
            if (isMarker && this.#isHeld) {
              this.#deliveries.push(() => {
                watch.entry(entry);
              });
            } else watch.entry(entry);
            if (!isMarker) return;
            for (const listener of this.#listeners) listener(entry.name.taskId);
          },
          current: () => {
            watch.current();
          },
        }),
    },
  });
}
