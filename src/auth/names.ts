/**
 * The principals of a secured set-up: their roles and names, and the subjects on which the NATS server
 * passes on their requests.
 */
import { AGENT_ROOT, OPERATOR_ROOT, TASK_UPDATES } from "../protocol/subjects.ts";
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
 * What the account of a principal imports: its own requests under the plain names, and the updates. These contain
 * whole records, so agents get them only if they may see everything.
 */
export function importsOf(role: Role, name: string, visibility: Visibility): SubjectImport[] {
  const services = ["tasks.>", "sessions.>"].map((localSubject) => ({
    type: "service" as const,
    subject: `${ROOT_OF[role]}.${name}.${localSubject}`,
    localSubject,
  }));
  if (role === "agent" && visibility !== "all") return services;
  const updates = `${TASK_UPDATES}.>`;
  return [...services, { type: "stream", subject: updates, localSubject: updates }];
}

/** What the account of the coordinator exports. */
export function exportedSubjects(): Pick<SubjectImport, "type" | "subject">[] {
  const services = ROLES.flatMap((role) =>
    ["tasks.>", "sessions.>"].map((subject) => ({
      type: "service" as const,
      subject: `${ROOT_OF[role]}.*.${subject}`,
    })),
  );
  return [...services, { type: "stream", subject: `${TASK_UPDATES}.>` }];
}
