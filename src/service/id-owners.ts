/**
 * Who may create tasks with which ids. A prefix can belong to principals: then only they and operators create ids
 * that begin with it, and the agents among them create no others.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { formatPrincipal, type Principal } from "../protocol/subjects.ts";
import type { PrincipalRules } from "./principal-rules.ts";

/** @throws CoordinatorError `forbidden` */
export function requireId(rules: PrincipalRules, taskId: string, by: Principal | null): void {
  if (by?.role !== "agent") return;
  const name = formatPrincipal(by);
  const owners = rules.ownersOf(taskId);
  if (owners.has(name)) return;
  const own = rules.prefixesOf(name);
  if (owners.size > 0) {
    throw forbidden(`${taskId} belongs to ${[...owners].join(", ")}: ${cureFor(own)}`);
  }
  if (own.length > 0) throw forbidden(`${taskId} does not belong to ${name}: ${cureFor(own)}`);
}

/** What the ids begin with that a worker makes for the principal. */
export function prefixFor(rules: PrincipalRules, by: Principal | null): string {
  return by?.role === "agent" ? (rules.prefixesOf(formatPrincipal(by))[0] ?? "") : "";
}

function forbidden(problem: string): CoordinatorError {
  return new CoordinatorError("forbidden", `task_id: ${problem}`, {
    details: { field: "task_id" },
  });
}

function cureFor(prefixes: readonly string[]): string {
  return prefixes.length === 0
    ? "choose an id with another beginning"
    : `use an id that begins with ${prefixes.join(" or ")}, or name none`;
}
