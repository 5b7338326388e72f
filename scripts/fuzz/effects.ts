/** Tells which valid requests do not change the tasks of `world.ts`. In doubt, a request does. */
import type { Operation } from "../../src/protocol/operations.ts";
import { HOLDER, type Kind, SECRET, SESSIONS, TASKS } from "./world.ts";

type Body = Readonly<Record<string, unknown>>;

export function changesNothing(operation: Operation, id: string, body: Body): boolean {
  return RULES[operation](Object.hasOwn(TASKS, id) ? TASKS[id] : undefined, body, id);
}

type Rule = (kind: Kind | undefined, body: Body, id: string) => boolean;

const always: Rule = () => true;

/** Another session, or a wrong attempt: the current attempt of each claim here is the first. */
const doesNotHold: Rule = (kind, { session_id, attempt }) =>
  (kind !== "claimed" && kind !== "cancel requested") ||
  session_id !== HOLDER ||
  (attempt !== undefined && attempt !== 1);

const cannotClaim: Rule = (_kind, { capabilities }) =>
  !Array.isArray(capabilities) || !capabilities.includes(SECRET);

const RULES: Readonly<Record<Operation, Rule>> = {
  "tasks.create": (_kind, { task_id }, id) => {
    const named = id === "" ? task_id : id;
    if (id !== "" && task_id !== undefined && id !== task_id) return true;
    return typeof named === "string" && Object.hasOwn(TASKS, named);
  },
  "tasks.import": (_kind, { tasks }) =>
    (tasks as Body[]).every(({ task_id }) => Object.hasOwn(TASKS, String(task_id))),
  // If the holder claims again over another connection, the lease records that connection.
  "tasks.claim": (kind, body, id) =>
    cannotClaim(kind, body, id) &&
    (doesNotHold(kind, { session_id: body.session_id }, id) ||
      body.release_on_disconnect === undefined),
  "tasks.next": cannotClaim,
  "tasks.renew": doesNotHold,
  "tasks.release": doesNotHold,
  "tasks.get": always,
  "tasks.list": always,
  "tasks.history": always,
  "tasks.changes": always,
  "tasks.verify": always,
  // No task reaches this revision.
  "tasks.update": (kind, { revision }) =>
    kind === undefined || isOver(kind) || Number(revision ?? 0) > 1_000_000,
  "tasks.cancel": (kind, { force }) =>
    kind === undefined || isOver(kind) || (kind === "cancel requested" && force !== true),
  "tasks.requeue": (kind) => kind === undefined || kind === "blocked" || kind === "corrupt",
  "tasks.stats": always,
  "sessions.register": () => false,
  "sessions.heartbeat": (_kind, _body, id) => !SESSIONS.has(id),
  "sessions.list": always,
  "sessions.unregister": (_kind, _body, id) => !SESSIONS.has(id),
};

function isOver(kind: Kind): boolean {
  return kind === "finished" || kind === "cancelled" || kind === "corrupt";
}
