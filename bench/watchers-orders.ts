/** What a process of subscribers is told, and what it answers. */

export type WatchersOrder =
  | {
      readonly kind: "watch";
      readonly connections: number;
      /** On each connection. */
      readonly subscriptions: number;
      /** Of core NATS; `null`: the updates of all tasks, by the library. */
      readonly subject: string | null;
    }
  /** So many messages for each subscriber, from now on. */
  | { readonly kind: "expect"; readonly count: number }
  /** Answered when each has got them, or the time is over. */
  | { readonly kind: "arrival"; readonly withinMs: number };

export interface Watched {
  /** When the last one had the last of it, by the clock that all processes share. */
  readonly lastAt: number;
  /** Messages that were not delivered, over all subscribers. */
  readonly missing: number;
}
