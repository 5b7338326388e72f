/**
 * What one agent sees of the tasks and sessions of others. Every reply to an agent passes `answer`, and every
 * refusal `error`, so no operation can show more.
 *
 * A record is judged by itself: an agent that held a task once still sees what it has seen then.
 */
import { EncodedJson } from "../protocol/encoded-json.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import type { Operation } from "../protocol/operations.ts";
import { redacted } from "../protocol/redacted-record.ts";
import { formatPrincipal, type Principal } from "../protocol/subjects.ts";
import { EncodedRecord, encodeTask, type TaskRecord } from "../protocol/task-record.ts";
import type { Visibility } from "../protocol/visibility.ts";
import type { Task } from "../task/task.ts";
import { isSessionOf } from "./permission.ts";
import type { Answer } from "./requests.ts";

/** `null`: the principal sees everything. */
export function viewerOf(visibility: Visibility, principal: Principal | null): Viewer | null {
  if (visibility === "all" || principal?.role !== "agent") return null;
  return new Viewer(principal, visibility === "own");
}

type Body = Readonly<Record<string, unknown>>;

export class Viewer {
  /** The agent does not learn of the tasks of others that it cannot claim. */
  readonly hidesOthers: boolean;
  readonly #agent: Principal;
  readonly #name: string;

  constructor(agent: Principal, hidesOthers: boolean) {
    this.hidesOthers = hidesOthers;
    this.#agent = agent;
    this.#name = formatPrincipal(agent);
  }

  /** Whether the agent may know that there is this task. An agent that could claim it may. */
  sees(task: Owned & Pick<Task, "status">): boolean {
    return !this.hidesOthers || task.status === "available" || this.isOwn(task);
  }

  /** Whether the agent created the task, or one of its sessions holds it or completed it. */
  isOwn({ createdBy, claimedBy, completedBy }: Owned): boolean {
    return (
      createdBy === this.#name || this.isOwnSession(claimedBy) || this.isOwnSession(completedBy)
    );
  }

  isOwnSession(sessionId: string | null): boolean {
    return sessionId !== null && isSessionOf(sessionId, this.#agent);
  }

  answer(operation: Operation, { body, shorter, ...rest }: Answer): Answer {
    const show = (whole: object): object => SHOWN[operation](this, whole as Body);
    return {
      ...rest,
      body: show(body),
      ...(shorter !== undefined && { shorter: show(shorter) }),
    };
  }

  error(error: unknown): unknown {
    if (!(error instanceof CoordinatorError)) return error;
    const { code, message, details, cause } = error;
    const task = error.task as TaskRecord | undefined;
    if (task !== undefined) {
      if (!this.sees({ ...ownersOf(task), status: task.status })) return withoutTask(error, task);
      const shown = { task: this.record(task) as object };
      return new CoordinatorError(code, message, { details, cause, ...shown });
    }
    if (!this.hidesOthers || code !== "too_large" || details.task_id === undefined) return error;
    const { since, size, limit } = details;
    return new CoordinatorError(
      code,
      `revision ${String(since)} has ${String(size)} bytes and no reply can carry more than ${String(limit)}: ` +
        `go on after it with since ${String(since)}`,
      { details: { since, size, limit } },
    );
  }

  /** An element of `changes`. Where others are hidden, the revisions stay, so that a gap still shows a loss. */
  change(change: Body): Body {
    const { revision, task } = change;
    if (!this.hidesOthers) return { ...change, task: this.record(task) };
    return task !== null && this.#ownsRecord(task) ? change : { revision, task: null };
  }

  /** The record as the agent sees it. */
  record(value: unknown): unknown {
    if (value === null || this.#ownsRecord(value)) return value;
    if (!(value instanceof EncodedRecord)) return redacted(value as TaskRecord);
    return new EncodedJson(redacted(encodeTask(value.task)));
  }

  #ownsRecord(value: unknown): boolean {
    return this.isOwn(value instanceof EncodedRecord ? value.task : ownersOf(value as TaskRecord));
  }

  /** The reply to `get`: the progress of a claim is content, too. */
  withLease(body: Body): Body {
    const { task, lease } = body;
    const isHidden = lease !== null && !this.#ownsRecord(task);
    return {
      ...body,
      task: this.record(task),
      ...(isHidden && { lease: { ...(lease as object), progress: null } }),
    };
  }

  session(session: Body): Body {
    return this.isOwnSession(session.session_id as string) ? session : { ...session, metadata: {} };
  }
}

/** The refusal of a request for a hidden task. What the task waits for is a part of its definition. */
function withoutTask(
  { code, message, details, cause }: CoordinatorError,
  { task_id: id }: TaskRecord,
): CoordinatorError {
  if (details.waits_for === undefined)
    return new CoordinatorError(code, message, { details, cause });
  const { reason } = details;
  return new CoordinatorError(
    code,
    `task ${id} is ${String(reason)}: ask for another with tasks.next`,
    {
      details: { reason },
      cause,
    },
  );
}

type Owned = Pick<Task, "createdBy" | "claimedBy" | "completedBy">;

function ownersOf({ created_by, claimed_by, completed_by }: TaskRecord): Owned {
  return { createdBy: created_by ?? null, claimedBy: claimed_by, completedBy: completed_by };
}

type Show = (viewer: Viewer, body: Body) => Body;

/** The reply has nothing of others, or only ids and numbers. */
const asItIs: Show = (_, body) => body;

const withTask: Show = (viewer, body) => ({ ...body, task: viewer.record(body.task) });

const withClaims: Show = (viewer, body) => eachOf("claims", body, (one) => withTask(viewer, one));

/** What is shown of the reply to each operation. */
const SHOWN: Readonly<Record<Operation, Show>> = {
  "tasks.create": withTask,
  "tasks.import": asItIs,
  "tasks.claim": withTask,
  "tasks.next": withClaims,
  "tasks.renew": asItIs,
  "tasks.release": (viewer, body) => ({
    ...withTask(viewer, body),
    ...(body.next !== undefined && { next: withClaims(viewer, body.next as Body) }),
  }),
  "tasks.get": (viewer, body) => viewer.withLease(body),
  "tasks.list": (viewer, body) => ({
    ...body,
    tasks: (body.tasks as readonly unknown[]).map((task) => viewer.record(task)),
  }),
  "tasks.history": (viewer, body) => eachOf("entries", body, (entry) => withTask(viewer, entry)),
  "tasks.changes": (viewer, body) => eachOf("changes", body, (change) => viewer.change(change)),
  "tasks.verify": asItIs,
  "tasks.update": withTask,
  "tasks.cancel": withTask,
  "tasks.requeue": withTask,
  "tasks.stats": asItIs,
  "sessions.register": asItIs,
  "sessions.heartbeat": asItIs,
  "sessions.list": (viewer, body) => eachOf("sessions", body, (session) => viewer.session(session)),
  "sessions.unregister": asItIs,
};

function eachOf(name: string, body: Body, show: (item: Body) => Body): Body {
  return { ...body, [name]: (body[name] as readonly Body[]).map((item) => show(item)) };
}
