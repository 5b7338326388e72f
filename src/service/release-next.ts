/**
 * A release that also asks for the next tasks: one request for each task of a loop instead of two.
 *
 * The release comes first, and if it is refused, nothing is claimed. Once it has succeeded the answer says
 * so, even if the claims fail. The same request can be sent again, like the two that it replaces: the
 * release changes nothing the second time, and the claims are found by the release that they follow.
 */
import { CoordinatorError, hasCode, toErrorReply } from "../protocol/errors.ts";
import type { Request } from "../protocol/operations.ts";
import { requestAfter } from "../protocol/request-after.ts";
import { encodeTask } from "../protocol/task-record.ts";
import type { Claims } from "./claims.ts";
import type { NextClaims } from "./next-claims.ts";
import { textOf } from "./permission.ts";
import type { AnswerTo, Call, Observe, ServiceContext, TaskStore } from "./ports.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";

type Released = AnswerTo<"tasks.release">["body"];
type Next = NonNullable<Released["next"]>;

export class ReleaseNext {
  readonly #claims: Claims;
  readonly #next: NextClaims;
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #writer: TaskWriter;
  readonly #observe: Observe;

  constructor(
    claims: Claims,
    next: NextClaims,
    { store, index, writer }: TaskAccess,
    { observe }: ServiceContext,
  ) {
    this.#claims = claims;
    this.#next = next;
    this.#store = store;
    this.#tasks = index;
    this.#writer = writer;
    this.#observe = observe;
  }

  async release(call: Call<"tasks.release">): Promise<AnswerTo<"tasks.release">> {
    const { id: taskId, body, place, sender, client, isListening } = call;
    const asked = nextOf(taskId, body);
    const principal = textOf(call.principal);
    if (asked === null) return this.#claims.release(taskId, body, principal);
    const released = await this.#release(call, asked.request_id);
    try {
      const { body: answer, ...how } = await this.#next.next(asked, {
        place,
        sender,
        client,
        isListening,
        principal,
        besides: released,
      });
      const { claims, reasons, next_due_at } = answer;
      const { ok, task, revision } = released;
      const body = { ok, task, revision, next: { claims, reasons, next_due_at } };
      const shorter = { ok, task, revision, next: WITHOUT_ROOM };
      return { ...how, shorter, body };
    } catch (error) {
      return { body: { ...released, next: this.#failed(taskId, error) } };
    }
  }

  /** Releases the claim, or finds that an earlier request with this name has done so, with the same outcome. */
  async #release(call: Call<"tasks.release">, name: string): Promise<Released> {
    const { id: taskId, body } = call;
    try {
      return (await this.#claims.release(taskId, body, textOf(call.principal))).body;
    } catch (error) {
      if (!hasCode(error, "lease_lost", "not_holder")) throw error;
      if (!(await this.#isFollowed(taskId, body.session_id, name))) throw error;
      const { task, revision } = await this.#writer.load(taskId);
      return { ok: true, task: encodeTask(task), revision };
    }
  }

  /**
   * Whether the session holds a claim that followed this release. Then the release has succeeded, although
   * somebody has claimed the task again since: perhaps the session itself, by that very request.
   */
  async #isFollowed(taskId: string, sessionId: string, name: string): Promise<boolean> {
    await this.#tasks.position.catchUp(this.#store);
    const { createdAt = Infinity } = this.#tasks.get(taskId)?.task ?? {};
    return [...this.#tasks.claimedFor(sessionId, name)].some((id) => {
      const claim = this.#tasks.get(id)?.task;
      // A task with this id that was removed, and created again since, counts its attempts again.
      return claim?.claimedBy === sessionId && (claim.claimedAt ?? 0) >= createdAt;
    });
  }

  #failed(taskId: string, cause: unknown): Next {
    if (cause instanceof CoordinatorError) return { ...NOTHING, error: toErrorReply(cause).error };
    this.#observe({ kind: "background_error", what: `next after ${taskId}`, cause });
    return { ...NOTHING, error: toErrorReply(DEFECT).error };
  }
}

/** The request for the next tasks; `null` if the release asks for none. */
function nextOf(
  taskId: string,
  { session_id, instance, attempt, status, next }: Request<"tasks.release">,
): (Request<"tasks.next"> & { readonly request_id: string }) | null {
  if (next === undefined || attempt === undefined) return null;
  return { session_id, instance, request_id: requestAfter(taskId, { attempt, status }), ...next };
}

const NOTHING = { claims: [], reasons: {}, next_due_at: null } satisfies Next;

const TOO_LARGE = toErrorReply(
  new CoordinatorError(
    "too_large",
    "the released task and the next one do not fit into one reply: ask for it with tasks.next",
  ),
).error;
const WITHOUT_ROOM = { ...NOTHING, error: TOO_LARGE };

const DEFECT = new CoordinatorError(
  "internal",
  "the claim was released, but a defect of the coordinator prevented the next one; its log says more",
);
