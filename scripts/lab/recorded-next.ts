/** Records what a request for the next tasks is told: `tasks.next`, or a release that asks for them. */
import { TaskError } from "../../src/client/task-error.ts";
import type { RecordedNext, Recording } from "../../src/history/recording.ts";
import { seenIn } from "../../src/history/recording.ts";
import type { Reply } from "../../src/protocol/operations.ts";

export interface Held {
  readonly taskId: string;
  readonly attempt: number;
  /** The process that claimed it. */
  readonly instance: string;
}

/** Of one request, begun when this is made. */
export class NextRecord {
  readonly #recording: Recording;
  readonly #asked: Omit<RecordedNext, "returnedAt" | "told">;

  constructor(
    recording: Recording,
    asked: Omit<RecordedNext, "returnedAt" | "told" | "invokedAt">,
  ) {
    this.#recording = recording;
    this.#asked = { ...asked, invokedAt: performance.now() };
  }

  /** Returns the claim that the session works on. */
  claims(claims: Reply<"tasks.next">["claims"]): Held | null {
    const { sessionId, instance, ttlSeconds, invokedAt } = this.#asked;
    this.#record(claims.length);
    let held: Held | null = null;
    for (const { task, attempt } of claims) {
      const told = { kind: "ok", seen: seenIn(task) } as const;
      const claim = { kind: "claim", sessionId, instance, ttlSeconds } as const;
      const { task_id: taskId } = task;
      this.#recording.operations.push({
        ...{ taskId, client: sessionId, op: { asked: claim, told } },
        ...{ invokedAt, returnedAt: performance.now() },
      });
      held = { taskId, attempt, instance };
    }
    return held;
  }

  /** `code`: of a refusal. After `unavailable`, only the bucket shows what was claimed. */
  failed(code: TaskError["code"]): void {
    this.#record(code === "unavailable" ? "lost" : code);
  }

  #record(told: RecordedNext["told"]): void {
    this.#recording.nexts.push({ ...this.#asked, returnedAt: performance.now(), told });
  }
}
