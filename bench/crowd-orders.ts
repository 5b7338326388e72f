/** What a crowd of sessions is told, and what it answers. */

export type CrowdOrder =
  | { readonly kind: "connect"; readonly count: number }
  | { readonly kind: "subscribe"; readonly prefixes: readonly string[] }
  /** To take the time of messages whose subject ends in `.name`, from now on. */
  | { readonly kind: "expect"; readonly name: string }
  /** Answered when all have got the one that is expected. */
  | { readonly kind: "arrival" }
  | Life;

/** To live as agents do for a while: each claims, heartbeats, and completes. */
export interface Life {
  readonly kind: "live";
  readonly seconds: number;
  /** Each session takes a task this often, and completes the one before. */
  readonly claimEverySeconds: number;
  readonly heartbeatEverySeconds: number;
  /** Of the sessions' ids. */
  readonly prefix: string;
}

/** By the clock that all processes share. */
export interface Arrival {
  readonly median: number;
  readonly last: number;
}

export interface Lived {
  /** Milliseconds, of each request. */
  readonly latencies: Readonly<Record<"next" | "release" | "heartbeat", readonly number[]>>;
  /** Requests that were not answered with success. */
  readonly failures: number;
}
