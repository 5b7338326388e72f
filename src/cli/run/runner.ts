/**
 * The loop of `run`: claims tasks, runs the command for each, and decides when to end. It has three states:
 *
 * - _working_: it claims tasks, until it is interrupted, there is nothing to do, or the command cannot start;
 * - _stopping_: it claims nothing, until the commands that run have ended;
 * - _done_: the session has ended.
 */
import { once } from "node:events";
import type { Claim } from "../../client/claim.ts";
import type { Coordinator } from "../../client/coordinator.ts";
import type { ClaimOptions } from "../../client/claim-options.ts";
import { TaskError } from "../../client/task-error.ts";
import { startTimer, type StopTimer } from "../../timers.ts";
import { printable, shortened } from "../shared/terminal-text.ts";
import { type IdleEnd, IdleWatch } from "./idle-watch.ts";
import type { Notices } from "./notices.ts";
import { endedByCommand } from "./own-ending.ts";
import {
  deadEnds,
  describeDeadEnds,
  describeRemaining,
  remainingTask,
  type WantedTasks,
} from "./remaining-tasks.ts";
import { describeCounts, describeReport, type Outcome, type TaskReport } from "./run-report.ts";
import { runTask, type RunTaskOptions } from "./run-task.ts";

export interface RunnerOptions extends Omit<RunTaskOptions, "endedByCommand"> {
  readonly wanted: WantedTasks;
  readonly ttlSeconds: number | undefined;
  /** How many commands run at a time. */
  readonly concurrency: number;
  /** End when no task is left that the session can claim now or later. */
  readonly untilEmpty: boolean;
  /** End when no task came for so long. */
  readonly waitMs: number;
  readonly notices: Notices;
  /** Called for each task that has ended. */
  readonly report: (report: TaskReport) => void;
}

export interface RunSummary {
  readonly counts: ReadonlyMap<Outcome, number>;
  /** Tasks that have failed and are not tried again. */
  readonly failedForGood: number;
  /** Tasks that wait for a failed or cancelled task. Only looked for with `untilEmpty`. */
  readonly deadEnds: readonly string[];
  /** Why it has ended, if there was nothing to do. */
  readonly idle: IdleEnd | null;
}

/** How long the claims of commands that were killed may take to end. */
const MARGIN_MS = 5_000;
/** How long the answers may take after that. */
const ANSWER_MS = 1_000;
/** A request can wait this long for a task. */
const LONGEST_REQUEST_MS = 60_000;
/** The longest title in a notice. */
const TITLE_LENGTH = 80;

export class Runner {
  readonly #coordinator: Coordinator;
  readonly #options: RunnerOptions;
  readonly #idleWatch: IdleWatch;
  readonly #running = new Set<Promise<void>>();
  readonly #counts = new Map<Outcome, number>();
  /** Aborted: the coordinator was asked for long enough to end the claims. */
  readonly #overdue = new AbortController();
  readonly #isOverdue = once(this.#overdue.signal, "abort");
  #stopOverdueTimer: StopTimer = () => undefined;
  #failedForGood = 0;
  #idle: IdleEnd | null = null;
  #hasToldWhatIsLeft = false;
  /** Why nothing more can be done: the command cannot be started, or the coordinator refuses a request. */
  #fault: { readonly error: unknown } | null = null;

  constructor(coordinator: Coordinator, options: RunnerOptions) {
    this.#coordinator = coordinator;
    this.#options = options;
    const { waitMs, untilEmpty } = options;
    this.#idleWatch = new IdleWatch({
      waitMs: waitMs > LONGEST_REQUEST_MS ? waitMs : Infinity,
      ...(untilEmpty ? { isLeft: () => this.#isLeft() } : {}),
      ended: (why) => {
        this.#idle = why;
        this.#stop(0);
      },
    });
  }

  /** @throws TaskError for a refusal of the coordinator; CommandStartError */
  async run(): Promise<RunSummary> {
    const { graceMs, interrupts, untilEmpty, notices, wanted } = this.#options;
    interrupts.signal.addEventListener("abort", () => {
      notices.say(this.#running.size === 0 ? "stopping" : STOPPING);
      this.#stop(graceMs + MARGIN_MS);
    });
    try {
      await this.#work();
    } finally {
      await this.#handlersDone();
      this.#idleWatch.stop();
      this.#stopOverdueTimer();
    }
    if (this.#fault !== null) throw this.#fault.error;
    const isOver = untilEmpty && this.#idle === "empty";
    const left = isOver ? await deadEnds(this.#coordinator.tasks, wanted) : [];
    this.#sayEnd(left);
    const [counts, failedForGood, idle] = [this.#counts, this.#failedForGood, this.#idle];
    return { counts, failedForGood, deadEnds: left, idle };
  }

  async #work(): Promise<void> {
    const { concurrency, once } = this.#options;
    this.#idleWatch.start();
    for await (const claim of this.#coordinator.claims(this.#claimOptions())) {
      this.#idleWatch.stop();
      this.#start(claim);
      if (once) {
        // The loop gives back what is still held when it ends.
        await this.#handlersDone();
        return;
      }
      while (this.#running.size >= concurrency && !this.#overdue.signal.aborted) {
        await Promise.race([...this.#running, this.#isOverdue]);
      }
    }
    if (!this.#isStopping) this.#idle = "waited";
  }

  get #isStopping(): boolean {
    const { interrupts } = this.#options;
    return interrupts.received !== null || this.#fault !== null || this.#idle !== null;
  }

  #claimOptions(): ClaimOptions {
    const { session, ttlSeconds, wanted, waitMs } = this.#options;
    const { prefix, tags, capabilities } = wanted;
    return {
      ...{ session, tags, capabilities, metadata: { command: "run" } },
      ...(prefix === "" ? {} : { prefix }),
      ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
      ...(waitMs > LONGEST_REQUEST_MS ? {} : { stopWhenIdle: true, waitSeconds: waitMs / 1000 }),
    };
  }

  #start(claim: Claim): void {
    const running = this.#handle(claim).finally(() => {
      this.#running.delete(running);
      if (this.#running.size === 0 && !this.#isStopping) this.#idleWatch.start();
    });
    this.#running.add(running);
  }

  /** Never rejects. */
  async #handle(claim: Claim): Promise<void> {
    const { notices, session, report } = this.#options;
    const { task, attempt } = claim;
    try {
      if (this.#isStopping) {
        // It was handed out just then.
        await claim.release();
        return;
      }
      const more = attempt === 1 ? "" : ` (attempt ${attempt})`;
      const title = shortened(printable(task.title), TITLE_LENGTH);
      notices.say(`claimed ${task.task_id}${more}${title === "" ? "" : `: ${title}`}`);
      const { tasks } = this.#coordinator;
      const ended = await runTask(claim, {
        ...this.#options,
        endedByCommand: (ofClaim) => endedByCommand(tasks, session, ofClaim),
      });
      this.#count(ended);
      notices.say(describeReport(ended));
      report(ended);
    } catch (error) {
      this.#fault ??= { error };
      this.#stop(this.#options.graceMs + MARGIN_MS);
    }
  }

  #count({ outcome, final: isFinal }: TaskReport): void {
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    if (isFinal) this.#failedForGood++;
  }

  /** Claims nothing any longer. After the deadline, the session ends. */
  #stop(deadlineMs: number): void {
    this.#idleWatch.stop();
    this.#stopOverdueTimer();
    this.#stopOverdueTimer = startTimer(deadlineMs + ANSWER_MS, () => {
      this.#overdue.abort();
    });
    void this.#coordinator.stop({ deadlineMs });
  }

  /** Resolves when no command runs and each claim has ended, or the deadline has passed. */
  async #handlersDone(): Promise<void> {
    await Promise.race([Promise.all(this.#running), this.#isOverdue]);
    if (this.#running.size === 0) return;
    this.#options.notices.warn(
      "the coordinator does not answer: what is still claimed is available again when its lease ends",
    );
  }

  /** Never rejects: without an answer, `run` waits. */
  async #isLeft(): Promise<boolean> {
    try {
      return await this.#askWhatIsLeft();
    } catch (error) {
      if (error instanceof TaskError && !error.retryable) {
        this.#fault = { error };
        this.#stop(0);
      }
      return true;
    }
  }

  async #askWhatIsLeft(): Promise<boolean> {
    const { wanted, notices } = this.#options;
    const task = await remainingTask(this.#coordinator.tasks, wanted);
    if (task !== null && !this.#hasToldWhatIsLeft) {
      this.#hasToldWhatIsLeft = true;
      notices.say(`waiting for tasks that are not ready, such as ${describeRemaining(task)}`);
    }
    return task !== null;
  }

  #sayEnd(left: readonly string[]): void {
    const { notices, once } = this.#options;
    if (!once && this.#counts.size > 0) notices.say(`done: ${describeCounts(this.#counts)}`);
    if (left.length > 0) notices.warn(describeDeadEnds(left));
  }
}

const STOPPING = "stopping; waiting for the command to end (a second signal kills it)";
