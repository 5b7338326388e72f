/** The commands to a task, and the decisions of the domain about them. */
import type { CONNECTION_LOST, LEASE_EXPIRED, Task, TaskDefinition, TaskStatus } from "./task.ts";

/** A command that a request brings. */
interface Requested {
  /** Who sends the request, such as `agent.s1`. Left out: the NATS server does not say, or a worker does it. */
  readonly principal?: string | null | undefined;
}

export interface ClaimCommand extends Requested {
  readonly type: "claim";
  readonly sessionId: string;
  readonly ttlSeconds: number;
  /** All capabilities of the session. They must include those that the task requires. */
  readonly capabilities: readonly string[];
  readonly claimRequest: string | null;
  /** The process of the session that claims; `null` if the session does not name one. */
  readonly instance: string | null;
}

export interface ReleaseCommand extends Requested {
  readonly type: "release";
  readonly sessionId: string;
  /** The attempt of the claim to end; `null`: any claim of the session. */
  readonly attempt: number | null;
  /** The process of the session that releases; `null`: a claim of any process of the session. */
  readonly instance: string | null;
  readonly outcome: ReleaseOutcome;
  readonly result: unknown;
  readonly error: unknown;
  /** With `failed`: whether another attempt may follow if `maxFailures` is not reached. */
  readonly retry: boolean;
  /** With `available`: when the task can be claimed again. Default: at once. */
  readonly notBefore?: number | null;
  /** With `available`: why the holder gives the task back, in its own words. */
  readonly reason?: string | null;
}
export const RELEASE_OUTCOMES = ["available", "complete", "failed"] as const;
export type ReleaseOutcome = (typeof RELEASE_OUTCOMES)[number];

/** The lease of exactly this attempt and epoch is over. */
export interface ExpireCommand {
  readonly type: "expire";
  readonly attempt: number;
  readonly epoch: number;
  /** Why it is over. Default: it expired. */
  readonly reason?: ExpiryReason;
}
export type ExpiryReason = typeof LEASE_EXPIRED | typeof CONNECTION_LOST;

/** Another process has replaced the process of the session that made exactly this claim. */
export interface ReplaceSessionCommand {
  readonly type: "replace_session";
  readonly attempt: number;
}

/** The lease of exactly this attempt and epoch has expired, but its holder is still there: begin it again. */
export interface ReviveCommand extends Requested {
  readonly type: "revive";
  readonly sessionId: string;
  readonly attempt: number;
  readonly epoch: number;
  /** Length of the new lease. */
  readonly ttlSeconds: number;
}

/** Make the task `blocked` or `available`, as its incomplete dependencies require. */
export interface SettleDependenciesCommand {
  readonly type: "settle_dependencies";
  readonly unmet: readonly string[];
}

/** What an update can change: the definition, and when the task can be claimed. */
export type TaskChanges = Partial<TaskDefinition & Pick<Task, "notBefore">>;

export interface UpdateCommand extends Requested {
  readonly type: "update";
  readonly sessionId: string | null;
  readonly changes: TaskChanges;
  /** The incomplete dependencies of the task after the update. */
  readonly unmet: readonly string[];
}

export interface CancelCommand extends Requested {
  readonly type: "cancel";
  readonly sessionId: string | null;
  /** Take a claimed task from its holder at once instead of asking it to stop. */
  readonly force: boolean;
  readonly reason: string | null;
}

export interface RequeueCommand extends Requested {
  readonly type: "requeue";
  readonly sessionId: string | null;
  readonly reason: string | null;
  readonly unmet: readonly string[];
}

export type Command =
  | ClaimCommand
  | ReleaseCommand
  | ExpireCommand
  | ReplaceSessionCommand
  | ReviveCommand
  | SettleDependenciesCommand
  | UpdateCommand
  | CancelCommand
  | RequeueCommand;

/** Why a task is not available: its status, or because it is not due. */
export type UnavailableReason = Exclude<TaskStatus, "available" | "claimed"> | "not_due";

export type Refusal =
  | {
      readonly code: "already_claimed";
      readonly claimedBy: string;
      /** The session that asks holds it, but as another process. */
      readonly isOtherInstance?: true;
    }
  | {
      readonly code: "not_available";
      readonly reason: UnavailableReason;
      readonly notBefore?: number;
    }
  | { readonly code: "missing_capabilities"; readonly missing: readonly string[] }
  | {
      readonly code: "not_holder";
      readonly claimedBy: string | null;
      readonly isOtherInstance?: true;
    }
  | { readonly code: "lease_lost"; readonly attempt: number };

export type Decision =
  /** Write this task. */
  | { readonly kind: "write"; readonly task: Task }
  /** The task is already as the command wants it, for example because the command is repeated. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: Refusal };
