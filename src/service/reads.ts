/** The turn of each request that reads records: `read-gate.ts` says why they take turns. */
import { ReadGate } from "./read-gate.ts";
import { MAX_PAGE_BYTES } from "./reply-page.ts";
import type { ServiceSettings } from "./service-settings.ts";

export class Reads {
  readonly #gate = new ReadGate();
  readonly #settings: ServiceSettings;

  constructor(settings: ServiceSettings) {
    this.#settings = settings;
  }

  /** A page of records. @throws CoordinatorError `overloaded` */
  page<T>(sender: string, read: () => Promise<T>): Promise<T> {
    const bytes = Math.min(this.#settings.maxReplyBytes, MAX_PAGE_BYTES);
    return this.#gate.during(sender, bytes, read);
  }

  /** One record. @throws CoordinatorError `overloaded` */
  one<T>(sender: string, read: () => Promise<T>): Promise<T> {
    return this.#gate.during(sender, this.#settings.maxRecordBytes, read);
  }
}
