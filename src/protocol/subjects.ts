/** Every NATS subject of the protocol, and the ids that may be part of a subject. */

/** The queue group of the workers: NATS gives each request to one of its members. */
export const QUEUE_GROUP = "coordinator";

/** NATS itself republishes every write of a task's record, on `task-updates.<task_id>`. */
export const TASK_UPDATES = "task-updates";

/** Roots of the subjects that carry a principal, for which the NATS server vouches. */
export const AGENT_ROOT = "agent";
export const OPERATOR_ROOT = "operator";
/** What stands in front of the plain subjects: nothing, or the principal. */
export const SUBJECT_PREFIXES = ["", `${AGENT_ROOT}.*.`, `${OPERATOR_ROOT}.*.`] as const;

/**
 * Where workers tell one agent of its own tasks if agents do not see everything. Its account imports these subjects
 * as `task-updates.>`.
 */
export function agentUpdates(agent: string, taskId: string): string {
  return `${AGENT_ROOT}.${agent}.${TASK_UPDATES}.${taskId}`;
}

export const MAX_ID_LENGTH = 256;

/** Non-empty tokens with dots between them, of characters that are safe in a NATS key and in a shell. */
export const ID_TOKENS = String.raw`[A-Za-z0-9_=/-]+(?:\.[A-Za-z0-9_=/-]+)*`;
const ID_PATTERN = new RegExp(`^${ID_TOKENS}$`);

export function isValidId(id: string): boolean {
  return id.length <= MAX_ID_LENGTH && ID_PATTERN.test(id);
}

export const ID_RULE =
  `1 to ${MAX_ID_LENGTH} characters out of A-Z a-z 0-9 _ = / - and single dots ` +
  "between them, such as P0.5.1";

/** The rule, and the first wrong character of this id if it has one. */
export function idRuleFor(id: string): string {
  const [wrong] = /[^A-Za-z0-9_=/.-]/u.exec(id) ?? [];
  if (wrong === undefined) return ID_RULE;
  const shown = /\p{Cc}/u.test(wrong) ? JSON.stringify(wrong).slice(1, -1) : wrong;
  return /[\s:;,|@+#~&\\]/.test(wrong)
    ? `${ID_RULE}; use "." or "-" instead of "${shown}"`
    : `${ID_RULE}; without "${shown}"`;
}

export type SubjectRoot = "tasks" | "sessions";

/** The parts of a request's subject. */
export interface RequestAddress {
  readonly root: string;
  readonly operation: string;
  /** Everything after the operation, not validated; `""` if there is nothing. */
  readonly id: string;
  /** Who sends the request; `null` on the plain subjects, which say nothing about the client. */
  readonly principal: Principal | null;
}

/** A client for whose role and name the NATS server vouches. */
export interface Principal {
  readonly role: "agent" | "operator";
  readonly name: string;
}

/** The principal as it stands in subjects and records: `agent.s1`. */
export function formatPrincipal({ role, name }: Principal): string {
  return `${role}.${name}`;
}

/** Whether the text is that of a principal with this role. */
export function isOfRole(text: string, role: Principal["role"]): boolean {
  return text.startsWith(`${role}.`);
}

/** Reads `tasks.claim.P0.5.1`, `agent.alice.tasks.claim.P0.5.1` and `operator.ann.tasks.claim.P0.5.1` alike. */
export function parseRequestSubject(subject: string): RequestAddress {
  const first = endOfToken(subject, 0);
  const role = subject.slice(0, first);
  if (role !== AGENT_ROOT && role !== OPERATOR_ROOT) return addressOf(subject, 0, first, null);
  const end = endOfToken(subject, first + 1);
  const root = endOfToken(subject, end + 1);
  return addressOf(subject, end + 1, root, { role, name: subject.slice(first + 1, end) });
}

function addressOf(
  subject: string,
  start: number,
  end: number,
  principal: Principal | null,
): RequestAddress {
  const operation = endOfToken(subject, end + 1);
  return {
    root: subject.slice(start, end),
    operation: subject.slice(end + 1, operation),
    id: subject.slice(operation + 1),
    principal,
  };
}

/** The position of the dot after the token that starts here, or that of the end. */
function endOfToken(subject: string, start: number): number {
  const dot = subject.indexOf(".", start);
  return dot < 0 ? subject.length : dot;
}

export function requestSubject(root: SubjectRoot, operation: string, id?: string): string {
  return id === undefined ? `${root}.${operation}` : `${root}.${operation}.${id}`;
}
