/** What the sessions of a simulation say they did, to be compared with what the bucket says. */

/** How a session's claim ended. */
export type Action =
  | "completed"
  | "failed"
  /** The session dropped its connection while it held the task. */
  | "crashed"
  /** The lease ran out although the session was still at work, so that its release was refused. */
  | "lost";

export interface Activity {
  readonly sessionId: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly action: Action;
}

export class ActivityLog {
  readonly activities: Activity[] = [];
  /** Of every claim that was had without waiting: from request to reply, in milliseconds. */
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
