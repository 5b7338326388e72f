/** How many `next` requests a worker parks: in all, of each sender, and of each session. */
import type { CoordinatorError } from "../protocol/errors.ts";
import type { ReadyFilter } from "../task/ready-queue.ts";
import type { LimitRules } from "./principal-rules.ts";
import { limitReached } from "./refusals.ts";
import type { ServiceSettings } from "./service-settings.ts";

type Settings = Pick<
  ServiceSettings,
  "maxWaiting" | "maxWaitingPerPrincipal" | "maxWaitingPerSession" | "maxFiltersPerPrincipal"
>;

export class ParkingLimits {
  readonly #settings: Settings;
  readonly #rules: LimitRules;

  constructor(settings: Settings, rules: LimitRules) {
    this.#settings = settings;
    this.#rules = rules;
  }

  /** Why the sender or the session cannot park another request; `null`: they can. */
  refusal(
    sizes: {
      readonly ofSender: number;
      readonly ofSession: number;
      /** The different filters of the sender, with this one. */
      readonly filters: number;
    },
    { sender, sessionId }: { readonly sender: string; readonly sessionId: string },
  ): CoordinatorError | null {
    const { maxWaitingPerPrincipal, maxWaitingPerSession, maxFiltersPerPrincipal } = this.#settings;
    if (sizes.ofSession >= maxWaitingPerSession) {
      const problem = `${sessionId} has ${sizes.ofSession} requests that wait: let it ask with one at a time`;
      return limitReached("limits.waiting_per_session", maxWaitingPerSession, problem);
    }
    const mostOfSender = this.#rules.limitsOf(sender)?.waiting ?? maxWaitingPerPrincipal;
    if (sizes.ofSender >= mostOfSender) {
      const problem = `${sender} has ${sizes.ofSender} requests that wait: ask with fewer sessions`;
      return limitReached("limits.waiting_per_principal", mostOfSender, problem);
    }
    if (sizes.filters > maxFiltersPerPrincipal) {
      const problem = `${sender} has requests with ${sizes.filters - 1} different tags, prefixes and capabilities that wait: let sessions share them`;
      return limitReached("limits.filters_per_principal", maxFiltersPerPrincipal, problem);
    }
    return null;
  }

  /** Whether all places are taken. */
  isFull(parked: number): boolean {
    return parked >= this.#settings.maxWaiting;
  }
}

/** Bytes of what a request looks for. @throws CoordinatorError `limit_reached` */
export function requireSmallFilter(
  { prefix, tags, capabilities }: ReadyFilter,
  limit: number,
): void {
  let size = Buffer.byteLength(prefix);
  for (const name of tags) size += Buffer.byteLength(name);
  for (const name of capabilities) size += Buffer.byteLength(name);
  if (size <= limit) return;
  const problem = `the capabilities of the session and of the request, its tags and its prefix have ${size} bytes: name fewer`;
  throw limitReached("limits.filter_bytes", limit, problem);
}
