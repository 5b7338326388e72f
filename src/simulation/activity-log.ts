/** What the sessions of a simulation report, for the comparison with the history in the bucket. */

/** How a session's claim ended. */
export type Action =
  | "completed"
  | "failed"
  /** The session dropped its connection while it held the task. */
  | "crashed"
  /** The lease expired while the session still worked, so its release was refused. */
  | "lost";

export interface Activity {
  readonly sessionId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly action: Action;
}

export class ActivityLog {
  readonly activities: Activity[] = [];
  /** For each claim that needed no wait: from request to reply, in milliseconds. */
  readonly claimLatencies: number[] = [];

  add(activity: Activity): void {
    this.activities.push(activity);
  }

  addClaimLatency(ms: number): void {
    this.claimLatencies.push(ms);
  }

  count(action: Action): number {
    return this.activities.filter((activity) => activity.action === action).length;
  }
}
