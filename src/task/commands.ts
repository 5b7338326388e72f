/** What can be asked of a task, and how the domain answers. */
import type { CONNECTION_LOST, LEASE_EXPIRED, Task, TaskDefinition, TaskStatus } from "./task.ts";

export interface ClaimCommand {
  readonly type: "claim";
  readonly sessionId: string;
  readonly ttlSeconds: number;
  /** Everything the session can do; must cover the task's `requires`. */
  readonly capabilities: readonly string[];
  readonly claimRequest: string | null;
  /** Which process of the session claims; `null`: it does not tell. */
  readonly instance: string | null;
}

export interface ReleaseCommand {
  readonly type: "release";
  readonly sessionId: string;
  /** The attempt of the claim to end; `null` trusts the session alone. */
  readonly attempt: number | null;
  /** Which process of the session releases; `null` trusts the session alone. */
  readonly instance: string | null;
  readonly outcome: ReleaseOutcome;
  readonly result: unknown;
  readonly error: unknown;
  /** Of `failed`: whether another attempt may follow while failures are left. */
  readonly retry: boolean;
  /** Of `available`: when the task can be claimed again. Default: at once. */
  readonly notBefore?: number | null;
  /** Of `available`: why the holder gives the task back, in its words. */
  readonly reason?: string | null;
}
export const RELEASE_OUTCOMES = ["available", "complete", "failed"] as const;
export type ReleaseOutcome = (typeof RELEASE_OUTCOMES)[number];

/** The lease of exactly this attempt and epoch is over. */
export interface ExpireCommand {
  readonly type: "expire";
  readonly attempt: number;
  readonly epoch: number;
  /** Why it is; without this, it has run out. */
  readonly reason?: ExpiryReason;
}
export type ExpiryReason = typeof LEASE_EXPIRED | typeof CONNECTION_LOST;

/** The process of the session that made exactly this claim was replaced by another one. */
export interface ReplaceSessionCommand {
  readonly type: "replace_session";
  readonly attempt: number;
}

/** The holder is still there: begin the lease of exactly this attempt and epoch anew, as it ran out. */
export interface ReviveCommand {
  readonly type: "revive";
  readonly sessionId: string;
  readonly attempt: number;
  readonly epoch: number;
  /** Length of the lease that follows. */
  readonly ttlSeconds: number;
}

/** Bring `blocked` and `available` in line with the dependencies that are still incomplete. */
export interface SettleDependenciesCommand {
  readonly type: "settle_dependencies";
  readonly unmet: readonly string[];
}

/** What an update can change: the definition, and when the task can be claimed. */
export type TaskChanges = Partial<TaskDefinition & Pick<Task, "notBefore">>;

export interface UpdateCommand {
  readonly type: "update";
  readonly sessionId: string | null;
  readonly changes: TaskChanges;
  /** The incomplete ones of the dependencies that the task has after the update. */
  readonly unmet: readonly string[];
}

export interface CancelCommand {
  readonly type: "cancel";
  readonly sessionId: string | null;
  /** Take a claimed task from its holder at once instead of asking it to stop. */
  readonly force: boolean;
  readonly reason: string | null;
}

export interface RequeueCommand {
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

/** Why a task cannot be had: its status, or that its time has not come. */
export type UnavailableReason = Exclude<TaskStatus, "available" | "claimed"> | "not_due";

export type Refusal =
  | {
      readonly code: "already_claimed";
      readonly claimedBy: string;
      /** The asker's own session holds it, but as another process. */
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
  /** The task has to become this. */
  | { readonly kind: "write"; readonly task: Task }
  /** What was asked for is already so: an idempotent repeat, or nothing to do. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: Refusal };
