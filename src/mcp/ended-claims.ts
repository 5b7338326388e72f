/** How the last claims have ended, so that a repeated or late call gets an answer that says so. */
import type { HeldClaim } from "./held-claim.ts";

export type Ending =
  | { readonly how: "lost"; readonly why: string }
  | {
      readonly how: "finished";
      readonly outcome: string;
      readonly reply: Readonly<Record<string, unknown>>;
    };

const MAX_KEPT = 200;

export class EndedClaims {
  readonly #endings = new Map<string, Ending>();

  lost({ handle }: HeldClaim, why: string): void {
    this.#add(handle, { how: "lost", why });
  }

  finished({ handle }: HeldClaim, outcome: string, reply: Readonly<Record<string, unknown>>): void {
    this.#add(handle, { how: "finished", outcome, reply });
  }

  of(handle: string): Ending | undefined {
    return this.#endings.get(handle);
  }

  #add(handle: string, ending: Ending): void {
    this.#endings.set(handle, ending);
    const [oldest] = this.#endings.keys();
    if (this.#endings.size > MAX_KEPT && oldest !== undefined) this.#endings.delete(oldest);
  }
}
