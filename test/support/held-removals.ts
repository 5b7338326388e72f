/** A worker whose retention time is over when the test says so, and whose removals wait until then. */
import type { Clock } from "../../src/service/ports.ts";
import { withFaults } from "./faulty-stores.ts";

const RETENTION_SECONDS = 1;

export class HeldRemovals {
  readonly settings = { retention_seconds: RETENTION_SECONDS };
  readonly clock: Clock;
  readonly wrapStores: ReturnType<typeof withFaults>;
  /** The tasks whose removal was begun. */
  readonly begun = new Set<string>();
  #now = Date.now();
  #changed: () => void = () => undefined;
  #goOn: () => void = () => undefined;

  constructor() {
    const end = new Promise<void>((resolve) => {
      this.#goOn = resolve;
    });
    this.clock = { now: () => this.#now, random: Math.random };
    this.wrapStores = withFaults({
      tasks: {
        purge: (real) => async (taskId, revision) => {
          this.begun.add(taskId);
          this.#changed();
          await end;
          return real.purge(taskId, revision);
        },
      },
    });
  }

  /** What has been finished so far is to be removed. Resolves when so many removals are under way. */
  async begin(count: number): Promise<void> {
    this.#now += RETENTION_SECONDS * 1_000;
    while (this.begun.size < count) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  goOn(): void {
    this.#goOn();
  }
}
