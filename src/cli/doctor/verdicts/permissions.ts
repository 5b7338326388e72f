/**
 * Verdict on what the user may do. The server tells the user's permissions, so nothing is tried out. An
 * import of another account can still lead nowhere; the check of the workers finds that.
 */
import type { Subjects, UserFacts } from "../../../nats/inspection/connection-facts.ts";
import {
  type Operation,
  OPERATION_IDS,
  OPERATION_NAMES,
} from "../../../protocol/operation-names.ts";
import { TASK_UPDATES } from "../../../protocol/subjects.ts";
import { count, type Finding, found, ok, shortList } from "../finding.ts";

/** Stands for any id. */
const ANY_ID = "any-id";
/** Without these, a session cannot work at all. */
const NEEDED = ["tasks.claim", "tasks.next", "tasks.renew", "tasks.release"];

/** @param isAgent whether the coordinator refuses operations for operators */
export function judgePermissions({ publish, subscribe }: UserFacts, isAgent: boolean): Finding[] {
  const role = isAgent ? "; as an agent, without the operations for operators" : "";
  if (isUnrestricted(publish) && isUnrestricted(subscribe)) {
    return [ok(`everything in the account is permitted${role}`)];
  }
  const refused = OPERATION_NAMES.filter(
    (operation) => !subjectsOf(operation).some((subject) => permits(publish, subject)),
  );
  const needed = refused.filter((operation) => NEEDED.includes(operation));
  const findings: Finding[] = [];
  if (needed.length > 0) {
    findings.push(found("request_not_permitted", `the user may not send ${shortList(needed)}`));
  }
  const others = refused.filter((operation) => !NEEDED.includes(operation));
  const canWatch = permits(subscribe, `${TASK_UPDATES}.${ANY_ID}`);
  const missing = [...others, ...(canWatch ? [] : [`subscribe to ${TASK_UPDATES}.>`])];
  if (missing.length > 0) {
    findings.push(found("some_not_permitted", `the user may not ${listOf(others, canWatch)}`));
  }
  if (findings.length > 0) return findings;
  return [
    ok(`all ${count(OPERATION_NAMES.length, "operation")} and watching changes are permitted`),
  ];
}

/** With any of these subjects, the operation can be requested. */
function subjectsOf(operation: Operation): string[] {
  const withId = `${operation}.${ANY_ID}`;
  switch (OPERATION_IDS[operation]) {
    case "required":
      return [withId];
    case "optional":
      return [operation, withId];
    case "none":
      return [operation];
  }
}

function listOf(operations: readonly string[], canWatch: boolean): string {
  return [
    ...(operations.length === 0 ? [] : [`send ${shortList(operations, 8)}`]),
    ...(canWatch ? [] : [`subscribe to ${TASK_UPDATES}.>`]),
  ].join(", and not ");
}

function isUnrestricted({ allow, deny }: Subjects): boolean {
  return (allow.length === 0 || allow.includes(">")) && deny.length === 0;
}

/** Whether the user may use the subject, which has no wildcards. */
export function permits({ allow, deny }: Subjects, subject: string): boolean {
  const fits = (pattern: string): boolean => matches(pattern, subject);
  return (allow.length === 0 || allow.some(fits)) && !deny.some(fits);
}

/** `*` matches one token, `>` at the end one or more. A queue group after the pattern is left out. */
function matches(pattern: string, subject: string): boolean {
  const [subjects = ""] = pattern.split(" ", 1);
  const wanted = subjects.split(".");
  const tokens = subject.split(".");
  for (const [at, token] of wanted.entries()) {
    if (token === ">") return tokens.length > at;
    if (at >= tokens.length || (token !== "*" && token !== tokens[at])) return false;
  }
  return wanted.length === tokens.length;
}
