/** A worker whose retention time ends when the test says so, and whose removals wait until then. */
import { EventEmitter, once } from "node:events";
import type { Clock } from "../../src/service/ports.ts";
import { withFaults } from "./faulty-stores.ts";

const RETENTION_SECONDS = 1;
const PATIENCE_MS = 30_000;

export class HeldRemovals {
  readonly settings = { retention_seconds: RETENTION_SECONDS };
  readonly clock: Pick<Clock, "now">;
  readonly wrapStores: ReturnType<typeof withFaults>;
  /** The tasks whose removal has begun. */
  readonly begun = new Set<string>();
  readonly #removals = new EventEmitter();
  #now = Date.now();
  #goOn: () => void = () => undefined;

  constructor() {
    const end = new Promise<void>((resolve) => {
      this.#goOn = resolve;
      // If the test fails before, the removals must end too.
      setTimeout(resolve, PATIENCE_MS).unref();
    });
    this.clock = { now: () => this.#now };
    this.wrapStores = withFaults({
      tasks: {
        dropHistory: (real) => async (taskId, revision) => {
          this.begun.add(taskId);
          this.#removals.emit("begun");
          await end;
          await real.dropHistory(taskId, revision);
        },
      },
    });
  }

  /** Ends the retention time of the tasks that have finished. Resolves when this many removals are under way. */
  async begin(count: number): Promise<void> {
    this.#now += RETENTION_SECONDS * 1_000;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while (this.begun.size < count) await once(this.#removals, "begun", { signal });
  }

  goOn(): void {
    this.#goOn();
  }
}
