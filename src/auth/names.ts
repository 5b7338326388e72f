/**
 * The principals of a secured set-up: their roles and names, and the subjects on which the NATS server
 * passes on their requests.
 */
import { AGENT_ROOT, agentUpdates, OPERATOR_ROOT, TASK_UPDATES } from "../protocol/subjects.ts";
import type { Visibility } from "../protocol/visibility.ts";

/** `agent`: works on tasks. `operator`: also manages the tasks of others. */
export const ROLES = ["agent", "operator"] as const;
export type Role = (typeof ROLES)[number];

/** A principal cannot have a name that already stands for a file of the set-up. */
const RESERVED = ["admin", "coordinator", "issuer", "reports", "system", "worker"];

/** One token of a subject, so the name cannot reach the subjects of others. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Why the name cannot be that of a principal; `null` if it can. */
export function nameProblem(name: string): string | null {
  if (!NAME.test(name)) {
    return `"${name}" cannot be the name of a principal: use 1 to 64 characters out of A-Z a-z 0-9 _ -`;
  }
  if (!RESERVED.includes(name.toLowerCase())) return null;
  return `"${name}" is reserved: choose another name than ${RESERVED.join(", ")}`;
}

/** Under these subjects, a worker receives the requests of all principals of a role. */
const ROOT_OF: Readonly<Record<Role, string>> = { agent: AGENT_ROOT, operator: OPERATOR_ROOT };

export interface SubjectImport {
  readonly type: "service" | "stream";
  /** In the account of the coordinator. */
  readonly subject: string;
  /** In the account of the principal. */
  readonly localSubject: string;
}

/**
 * What the account of a principal imports: its own requests under the plain names, and the updates. Those of all
 * tasks are whole records, so an agent that may not see everything gets only those that workers send to it.
 */
export function importsOf(role: Role, name: string, visibility: Visibility): SubjectImport[] {
  const services = ["tasks.>", "sessions.>"].map((localSubject) => ({
    type: "service" as const,
    subject: `${ROOT_OF[role]}.${name}.${localSubject}`,
    localSubject,
  }));
  const localSubject = `${TASK_UPDATES}.>`;
  const isOwn = role === "agent" && visibility !== "all";
  const subject = isOwn ? agentUpdates(name, ">") : localSubject;
  return [...services, { type: "stream", subject, localSubject }];
}

/** What the account of the coordinator exports. */
export function exportedSubjects(): Pick<SubjectImport, "type" | "subject">[] {
  const services = ROLES.flatMap((role) =>
    ["tasks.>", "sessions.>"].map((subject) => ({
      type: "service" as const,
      subject: `${ROOT_OF[role]}.*.${subject}`,
    })),
  );
  const updates = [`${TASK_UPDATES}.>`, agentUpdates("*", ">")];
  return [...services, ...updates.map((subject) => ({ type: "stream" as const, subject }))];
}
