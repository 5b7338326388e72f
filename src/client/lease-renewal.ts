/** Who keeps the leases of a session: what it is told, and whom it tells. */
import type { TaskError } from "./task-error.ts";

export interface SessionSettings {
  readonly sessionId: string;
  /** Tells this process from others that use the same id. */
  readonly instance: string;
  readonly capabilities: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Whether the claims end with the connection; after a reconnect each heartbeat names the new one. */
  readonly releaseOnDisconnect?: boolean;
}

/** A claim whose lease is to be kept. */
export interface KeptClaim {
  readonly taskId: string;
  readonly attempt: number;
  readonly ttlSeconds: number;
  /** It was made some time ago, by a request that was repeated. */
  readonly isOld: boolean;
}

export interface LeaseListener {
  lost(taskId: string, attempt: number): void;
  cancelled(taskId: string, attempt: number): void;
  /** Another instance has the session, with all that was claimed for it. Nothing is renewed any more. */
  replaced(error: TaskError): void;
}

/** Implemented by `session-leases.ts`, and by a thread that does the same. */
export interface LeaseRenewal {
  /** Registers the session; asks until that is done. @throws TaskError for a refusal */
  start(signal: AbortSignal): Promise<void>;
  keep(claim: KeptClaim): void;
  /** The claim has ended. */
  drop(taskId: string, attempt: number): void;
  /** Nobody works on it any more, and the coordinator may not know: it is given back if it is held. */
  abandon(taskId: string, attempt: number): void;
  /**
   * Nothing more is kept. Leases are renewed until `stop`, but the session is not registered again, and
   * what was claimed for it without its knowledge is given back.
   */
  drain(): void;
  stop(): void;
}
