/** A release that asks for the next task, recorded as a release and a `next`. */
import type { TaskClient } from "../../src/client/task-client.ts";
import { TaskError } from "../../src/client/task-error.ts";
import type { Asked } from "../../src/history/recorded-operation.ts";
import { seenIn } from "../../src/history/recording.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { Reply } from "../../src/protocol/operations.ts";
import { requestAfter } from "../../src/protocol/request-after.ts";
import { type Held, NextRecord } from "./recorded-next.ts";
import { ONCE, type SessionContext } from "./session-context.ts";

type Release = Extract<Asked, { kind: "release" }>;
type Input = Parameters<TaskClient["release"]>[1];

const WAIT_SECONDS = 0.05;

export class NextRelease {
  readonly #context: SessionContext;
  readonly #held: Held;
  readonly #ttlSeconds: number;

  constructor(context: SessionContext, held: Held, ttlSeconds: number) {
    this.#context = context;
    this.#held = held;
    this.#ttlSeconds = ttlSeconds;
  }

  /** Returns the claim that the session works on next. */
  async send(asked: Release, input: Input): Promise<Held | null> {
    // A repetition that finds claims shows the task as it is, perhaps claimed by another session since.
    const shown = ({ next: found }: Reply<"tasks.release">): Asked =>
      found?.claims.some((claim) => claim.already_held) === true ? { kind: "get" } : asked;
    return this.#send(asked, input, shown);
  }

  /** Sends a release of the same claim with another outcome. It is refused, unless the first one was lost. */
  async contradict(asked: Release): Promise<void> {
    const { attempt, instance } = this.#held;
    const status = asked.status === "complete" ? "failed" : "complete";
    const input = { session_id: asked.sessionId, instance, attempt, status } as const;
    await this.#send({ ...asked, status, isDelayed: false }, input);
  }

  async #send(
    asked: Release,
    input: Input,
    shown: (reply: Reply<"tasks.release">) => Asked = () => asked,
  ): Promise<Held | null> {
    const { id: sessionId, tasks, recording, openTasks } = this.#context;
    const { taskId, attempt, instance } = this.#held;
    const ttlSeconds = this.#ttlSeconds;
    const requestId = requestAfter(taskId, { attempt, status: input.status });
    const record = new NextRecord(recording, { requestId, sessionId, instance, ttlSeconds });
    const next = { ttl_seconds: ttlSeconds, wait_seconds: WAIT_SECONDS };
    const reply = await recording.run(
      { taskId, client: sessionId, asked, shown },
      async () => {
        try {
          return await tasks.release(taskId, { ...input, next }, ONCE);
        } catch (error) {
          if (error instanceof TaskError) record.failed(error.code);
          throw error;
        }
      },
      ({ task }) => seenIn(task),
    );
    if (reply === null) return null;
    openTasks.note(taskId, reply.task.status);
    const { claims = [], error } = reply.next ?? {};
    if (error === undefined) return record.claims(claims);
    record.failed(error.code as ErrorCode);
    return null;
  }
}
