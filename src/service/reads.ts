/** The turn of each request that reads records: `sender-gate.ts` says why they take turns. */
import { MAX_PAGE_BYTES } from "./reply-page.ts";
import { SenderGate, USUAL_WAIT_MS } from "./sender-gate.ts";
import type { ServiceSettings } from "./service-settings.ts";

/** In bytes. */
const LIMITS = {
  total: 16 * MAX_PAGE_BYTES,
  perSender: 2 * MAX_PAGE_BYTES,
  waitMs: USUAL_WAIT_MS,
};

export class Reads {
  readonly #gate = new SenderGate(
    LIMITS,
    "too many reads wait for their turn: ask again in a moment, for one page after the other",
  );
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
