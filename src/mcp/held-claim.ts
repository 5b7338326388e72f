/** A claim that the agent holds, by the handle that the model knows, and what its holder last did. */
import type { Claim } from "../client/claim.ts";
import { ProgressReports } from "../client/progress-reports.ts";
import { handleOf, shortText } from "./task-view.ts";

/** A note must fit into the lease. */
const MAX_NOTE = 500;

export class HeldClaim {
  readonly claim: Claim;
  readonly session: string;
  /** Such as `P0.1.2#3`. */
  readonly handle: string;
  /** Whether the model knows the claim. It does not if the call that made it was cancelled. */
  isKnown = false;
  #note: string | undefined;
  #tool = "";
  #at = "";
  /** The report under way, or the last one. */
  #sending: Promise<void> = Promise.resolve();
  readonly #reports: ProgressReports;

  /** @param renew sends a report with the lease. It must not reject */
  constructor(claim: Claim, session: string, renew: (progress: unknown) => Promise<void>) {
    // A report is made when it is sent: an earlier call must not take back the note of a later one.
    this.#reports = new ProgressReports(() => (this.#sending = renew(this.#report())));
    this.claim = claim;
    this.session = session;
    this.handle = handleOf(claim.task.task_id, claim.attempt);
  }

  /** The agent is active. Of several reports within a second, the last is sent. */
  note(tool: string): void {
    if (!this.claim.isOver) this.#reports.report(this.progress(tool));
  }

  /** Resolves when no report is under way that could overtake the next one. */
  untilReported(): Promise<void> {
    return this.#sending;
  }

  /** The claim is over. */
  stop(): void {
    this.#reports.stop();
  }

  /** The report that others see: the last note, the last tool, and when that was. */
  progress(tool: string, note?: string): object {
    if (note !== undefined) this.#note = shortText(note, MAX_NOTE);
    this.#tool = tool;
    this.#at = new Date().toISOString();
    return this.#report();
  }

  #report(): object {
    const note = this.#note === undefined ? {} : { note: this.#note };
    return { ...note, tool: this.#tool, at: this.#at };
  }
}
