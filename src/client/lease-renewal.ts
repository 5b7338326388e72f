/** The interface of everything that renews the leases of a session, and of its listener. */
import type { TaskError } from "./task-error.ts";

export interface SessionSettings {
  readonly sessionId: string;
  /** Distinguishes this process from others that use the same id. */
  readonly instance: string;
  readonly capabilities: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Whether the claims end with the connection. After a reconnect, each heartbeat names the new one. */
  readonly releaseOnDisconnect?: boolean;
}

/** A claim whose lease is kept. */
export interface KeptClaim {
  readonly taskId: string;
  readonly attempt: number;
  readonly ttlSeconds: number;
  /** The claim was made some time ago, by an earlier request with the same `request_id`. */
  readonly isOld: boolean;
}

export interface LeaseListener {
  lost(taskId: string, attempt: number): void;
  cancelled(taskId: string, attempt: number): void;
  /** Another instance has the session and all of its claims. Nothing is renewed any longer. */
  replaced(error: TaskError): void;
}

/** Implemented by `session-leases.ts`, and by `renewal-thread.ts`, which does the same in a thread. */
export interface LeaseRenewal {
  /** Registers the session, and retries until that is done. @throws TaskError for a refusal */
  start(signal: AbortSignal): Promise<void>;
  keep(claim: KeptClaim): void;
  /** The claim has ended. */
  drop(taskId: string, attempt: number): void;
  /** The holder no longer works on it, and the coordinator may not know: if it is held, give it back. */
  abandon(taskId: string, attempt: number): void;
  /**
   * No further claims will be kept. The leases are renewed until `stop`, but the session is not registered
   * again, and a claim that was made for it without its knowledge is given back.
   */
  drain(): void;
  stop(): void;
}
