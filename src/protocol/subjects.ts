/** Every NATS subject of the protocol, and the ids that may become part of one. */

/** Workers that share the requests; NATS hands each request to one member. */
export const QUEUE_GROUP = "coordinator";

/** Where NATS itself republishes every write of a task record, as `task-updates.<task_id>`. */
export const TASK_UPDATES = "task-updates";

/** Root of the subjects on which a request carries the identity that the server vouches for. */
export const AGENT_ROOT = "agent";

export const MAX_ID_LENGTH = 256;

/** Dot-separated, non-empty tokens of characters that NATS allows in a key and a shell leaves alone. */
const ID_PATTERN = /^[A-Za-z0-9_=/-]+(?:\.[A-Za-z0-9_=/-]+)*$/;

export function isValidId(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && ID_PATTERN.test(id);
}

export const ID_RULE =
  `1 to ${MAX_ID_LENGTH} characters out of A-Z a-z 0-9 _ = / - and single dots ` +
  "between them, such as P0.5.1";

/** The rule, and what is wrong with this id if that is one character. */
export function idRuleFor(id: string): string {
  const [wrong] = /[^A-Za-z0-9_=/.-]/u.exec(id) ?? [];
  if (wrong === undefined) return ID_RULE;
  const shown = /\p{Cc}/u.test(wrong) ? JSON.stringify(wrong).slice(1, -1) : wrong;
  return /[\s:;,|@+#~&\\]/.test(wrong)
    ? `${ID_RULE}; use "." or "-" instead of "${shown}"`
    : `${ID_RULE}; without "${shown}"`;
}

export type SubjectRoot = "tasks" | "sessions";

/** What a request's subject says. */
export interface RequestAddress {
  readonly root: string;
  readonly operation: string;
  /** All that follows the operation, not validated; `""` where nothing does. */
  readonly id: string;
  /** Who the server says is asking; `null` on the plain root. */
  readonly principal: string | null;
}

/** Reads `tasks.claim.P0.5.1` and `agent.alice.tasks.claim.P0.5.1` alike. */
export function parseRequestSubject(subject: string): RequestAddress {
  const [first, afterFirst] = splitToken(subject);
  if (first !== AGENT_ROOT) return { ...addressOf(first, afterFirst), principal: null };
  const [principal, request] = splitToken(afterFirst);
  return { ...addressOf(...splitToken(request)), principal };
}

function addressOf(root: string, rest: string): Omit<RequestAddress, "principal"> {
  const [operation, id] = splitToken(rest);
  return { root, operation, id };
}

/** The text before the first dot, and the text after it. */
function splitToken(subject: string): [token: string, rest: string] {
  const dot = subject.indexOf(".");
  return dot < 0 ? [subject, ""] : [subject.slice(0, dot), subject.slice(dot + 1)];
}

export function requestSubject(root: SubjectRoot, operation: string, id?: string): string {
  return id === undefined ? `${root}.${operation}` : `${root}.${operation}.${id}`;
}
